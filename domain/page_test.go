package domain_test

import (
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
)

func TestAPageHasOneToTwoHundredItems(t *testing.T) {
	for limit, want := range map[int]int{0: 50, -1: 50, 1: 1, 50: 50, 200: 200, 201: 200, 1 << 40: 200} {
		if got := (domain.PageRequest{Limit: limit}).Size(); got != want {
			t.Errorf("%d stands for %d, want %d", limit, got, want)
		}
	}
}

func TestPagesJoinToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := make([]int, rapid.IntRange(0, 30).Draw(t, "items"))
		for i := range whole {
			whole[i] = i + 1
		}
		size := rapid.IntRange(1, 12).Draw(t, "size")
		var joined []int
		for after, pages := 0, 0; ; pages++ {
			rest := whole[after:]
			page := domain.PageOf(slices.Clone(rest[:min(size+1, len(rest))]), size, strconv.Itoa)
			joined = append(joined, page.Items...)
			if len(page.Items) > size || pages > len(whole) {
				t.Fatalf("page %d has %d items", pages, len(page.Items))
			}
			if page.Next == "" {
				break
			}
			if len(page.Items) < size {
				t.Fatalf("page %d is short and not the last", pages)
			}
			after, _ = strconv.Atoi(page.Next)
		}
		if !slices.Equal(joined, whole) {
			t.Fatalf("got %v", joined)
		}
	})
}
