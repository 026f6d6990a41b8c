package jose

import "github.com/keyport-go/keyport/domain"

// Opens fails with ErrMasterKey unless one of the two master keys opens each of the
// stored keys, of whatever use. A zero Master opens none.
func Opens(master, other Master, keys []domain.Key) error {
	for _, k := range keys {
		err := error(ErrMasterKey)
		for _, m := range []Master{master, other} {
			if err != nil && !m.IsZero() {
				_, err = m.open(k)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
