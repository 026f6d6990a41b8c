package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// open returns the one image of a layout. It fails where the layout holds another
// number of them, or anything in it is not what its digest says.
func open(at string) (v1.Image, error) {
	index, err := layout.ImageIndexFromPath(at)
	if err != nil {
		return nil, err
	}
	if err := validate.Index(index); err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if n := len(manifest.Manifests); n != 1 {
		return nil, fmt.Errorf("%s holds %d images: want 1", at, n)
	}
	return index.Image(manifest.Manifests[0].Digest)
}

// unpack lays the files of an image into the empty folder at, and adds the folders
// that a container's engine mounts on. Only root can give files to their owners; for
// anybody else all are their own.
func unpack(image v1.Image, at string) (err error) {
	root, err := os.OpenRoot(at)
	if err != nil {
		return err
	}
	defer root.Close()
	flat := mutate.Extract(image)
	defer flat.Close()
	for entries := tar.NewReader(flat); ; {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := lay(root, h, entries); err != nil {
			return fmt.Errorf("unpacking %s: %w", h.Name, err)
		}
	}
	for _, name := range []string{"proc", "dev"} {
		if err := root.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

func lay(root *os.Root, h *tar.Header, content io.Reader) error {
	name := filepath.Clean(h.Name)
	switch h.Typeflag {
	case tar.TypeDir:
		if err := root.MkdirAll(name, 0o755); err != nil {
			return err
		}
	case tar.TypeReg:
		if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		f, err := root.Create(name)
		if err != nil {
			return err
		}
		if _, err := io.Copy(f, content); err != nil {
			return errors.Join(err, f.Close())
		}
		if err := f.Close(); err != nil {
			return err
		}
	default:
		return fmt.Errorf("a file of type %q", h.Typeflag)
	}
	if os.Getuid() == 0 {
		if err := root.Lchown(name, h.Uid, h.Gid); err != nil {
			return err
		}
	}
	return root.Chmod(name, fs.FileMode(h.Mode).Perm())
}
