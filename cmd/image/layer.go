package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// A content is one layer: a file, or an empty folder, and the folders above it.
type content struct {
	name  string // where it is in the image: an absolute path
	from  string // the file that it comes from; "" for a folder
	mode  int64
	owner int // user and group; of the folders above it root is
}

// contents lists the layers. The program comes last, since it alone is another one in
// each version.
func contents(program, certificates string) []content {
	return []content{
		{name: "/etc/ssl/certs/ca-certificates.crt", from: certificates, mode: 0o644},
		{name: "/data", mode: 0o755, owner: user},
		{name: "/keyport", from: program, mode: 0o755},
	}
}

// layer packs the content. Entries stand in the order of their depth, and bear
// neither times nor names of users.
func (c content) layer() (v1.Layer, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	if err := errors.Join(c.pack(w), w.Close()); err != nil {
		return nil, fmt.Errorf("packing %s: %w", c.name, err)
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(packed.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
}

func (c content) pack(w *tar.Writer) error {
	name := strings.TrimPrefix(c.name, "/")
	for i := range name {
		if name[i] == '/' {
			if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name[:i+1], Mode: 0o755, ModTime: epoch.Time}); err != nil {
				return err
			}
		}
	}
	h := &tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: c.mode, Uid: c.owner, Gid: c.owner, ModTime: epoch.Time}
	if c.from == "" {
		return w.WriteHeader(h)
	}
	text, err := os.ReadFile(c.from)
	if err != nil {
		return err
	}
	if len(text) == 0 {
		return errors.New(c.from + " is empty")
	}
	h.Typeflag, h.Name, h.Size = tar.TypeReg, path.Clean(name), int64(len(text))
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}
