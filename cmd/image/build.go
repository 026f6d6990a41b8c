package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// refName is the annotation by which a layout tells its images apart (OCI image
// specification, annotations).
const refName = "org.opencontainers.image.ref.name"

// build makes the image of the program, writes it to the folder at, in place of what
// was there, and prints its digest.
func build(program, certificates, version, at string, out io.Writer) error {
	architecture, err := inspect(program)
	if err != nil {
		return err
	}
	image, err := assemble(program, certificates, version, architecture)
	if err != nil {
		return err
	}
	if err := write(image, version, at); err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: keyport %s, linux/%s\n%s\n", at, version, architecture, digest)
	return err
}

// assemble makes an image that depends on its arguments alone.
func assemble(program, certificates, version, architecture string) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, c := range contents(program, certificates) {
		layer, err := c.layer()
		if err != nil {
			return nil, err
		}
		image, err = mutate.Append(image, mutate.Addendum{Layer: layer, History: v1.History{Created: epoch, CreatedBy: "COPY " + c.name}})
		if err != nil {
			return nil, err
		}
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Created = "linux", architecture, epoch
	file.Config = config(version)
	return mutate.ConfigFile(image, file)
}

// write puts the image as the only one into a layout at the folder at. Whoever reads
// it meanwhile sees the old layout, none, or the new one.
func write(image v1.Image, version, at string) error {
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	if _, err := os.Stat(at); err == nil {
		if _, err := layout.FromPath(at); err != nil {
			return fmt.Errorf("%s is there, and no layout: %w", at, err)
		}
	}
	fresh, err := os.MkdirTemp(filepath.Dir(at), filepath.Base(at)+".*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	path, err := layout.Write(fresh, empty.Index)
	if err != nil {
		return err
	}
	if err := path.AppendImage(image, layout.WithAnnotations(map[string]string{refName: version})); err != nil {
		return err
	}
	return errors.Join(os.Chmod(fresh, 0o755), os.RemoveAll(at), os.Rename(fresh, at))
}
