package app

import (
	"context"
	"io"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
)

// An item is a line as it is to be imported, or why it cannot be.
type item struct {
	at       int // the line
	transfer accounts.Transfer
	password domain.Password // whose hash is still to be made; zero: none
	fault    error
}

// A parcel is the lines that are imported at once.
type parcel struct {
	items []item
	read  int64 // how many bytes of the file were read so far
	end   error // why they are the last; nil: they are not
}

// parcelSize is how many lines are imported at once. A commit for 256 costs little
// against writing them, and other writers wait a few hundredths of a second at most.
const parcelSize = 256

// parcels reads a file, beside whoever imports it and a parcel or two ahead, until ctx
// ends. The last parcel has the reason why it is the last.
func parcels(ctx context.Context, in io.Reader, plain bool) <-chan parcel {
	out := make(chan parcel)
	go func() {
		counted := &counted{in: in}
		next, err := readTransfers(counted)
		for p := (parcel{end: err}); ; p = (parcel{}) {
			for len(p.items) < parcelSize && p.end == nil {
				var e entry
				if e, p.end = next(); p.end == nil {
					p.items = append(p.items, prepared(e, plain))
				}
			}
			p.read = counted.n
			select {
			case out <- p:
			case <-ctx.Done():
				return
			}
			if p.end != nil {
				return
			}
		}
	}()
	return out
}

func prepared(e entry, plain bool) item {
	it := item{at: e.at, fault: e.fault}
	if it.fault == nil {
		it.transfer, it.password, it.fault = e.line.transfer(plain)
	}
	return it
}

// counted counts what is read.
type counted struct {
	in io.Reader
	n  int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	return n, err
}
