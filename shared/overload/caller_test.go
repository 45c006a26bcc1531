package overload_test

import (
	"net/http"
	"strconv"
	"testing"
)

// known makes the credential one that was accepted as the caller's.
func (w *world) known(t *testing.T, caller string, headers ...string) {
	t.Helper()
	slot, refusal := w.Admit(from("192.0.2.1", headers...))
	if refusal != nil {
		t.Fatal(refusal)
	}
	slot.Confirm(caller)
	slot.Release()
}

func TestWhoIsOneCaller(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		one, two *http.Request
		same     bool
	}{
		{"two addresses", from("10.0.0.1"), from("10.0.0.2"), false},
		{"an IPv4 address in two spellings", from("10.0.0.1"), from("::ffff:10.0.0.1"), true},
		{"two addresses of a /64", from("2001:db8:0:1::1"), from("2001:db8:0:1:ffff::2"), true},
		{"addresses of two /64", from("2001:db8:0:1::1"), from("2001:db8:0:2::1"), false},
		{"what is no address", from(""), from("@"), true},
		{"credentials that nobody has accepted, from one address", from("10.0.0.1", "Authorization", "Bearer x"), from("10.0.0.1", "Authorization", "Bearer y"), true},
		{"one that nobody has accepted, from two addresses", from("10.0.0.1", "Authorization", "Bearer x"), from("10.0.0.2", "Authorization", "Bearer x"), false},
		{"two keys of a partner, from two addresses", from("10.0.0.1", "X-Api-Key", "acme-1"), from("10.0.0.2", "X-Api-Key", "acme-2"), true},
		{"keys of two partners, from one address", from("10.0.0.1", "X-Api-Key", "acme-1"), from("10.0.0.1", "X-Api-Key", "globex-1"), false},
		{"a session beside strangers at its address", from("10.0.0.1", "Cookie", "s=ada"), from("10.0.0.1", "Cookie", "s=eve"), false},
		{"a credential in another header is another", from("10.0.0.1", "Cookie", "acme-1"), from("10.0.0.1", "X-Api-Key", "acme-1"), false},
		{"a credential with something beside it is another", from("10.0.0.1", "X-Api-Key", "acme-1", "Cookie", "x"), from("10.0.0.2", "X-Api-Key", "acme-1"), false},
		{"nobody's name is an address", from("10.0.0.1"), from("10.0.0.2", "X-Api-Key", "trick"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 100)
			w.known(t, "acme", "X-Api-Key", "acme-1")
			w.known(t, "acme", "X-Api-Key", "acme-2")
			w.known(t, "globex", "X-Api-Key", "globex-1")
			w.known(t, "ada", "Cookie", "s=ada")
			w.known(t, "\x0a\x00\x00\x01", "X-Api-Key", "trick")
			for _, r := range []*http.Request{tt.one, tt.two} {
				if _, refusal := w.ask(r); refusal != nil {
					t.Fatal(refusal)
				}
			}
			if _, callers := w.InFlight(); (callers == 1) != tt.same {
				t.Errorf("they are %d callers", callers)
			}
		})
	}
}

func TestANewCredentialWithEveryRequestGetsNoMoreThanOneCaller(t *testing.T) {
	t.Parallel()
	n := 0
	for _, header := range []string{"Authorization", "X-Api-Key", "Cookie"} {
		w := newWorld(t, 100)
		w.known(t, "ada", "Authorization", "Bearer ada")
		got := w.flood(func() *http.Request { n++; return from("10.0.0.1", header, strconv.Itoa(n)) })
		if got != 50 {
			t.Errorf("%s: %d of 100 were let in, want half", header, got)
		}
		for _, other := range []*http.Request{from("10.0.0.1", "Authorization", "Bearer ada"), from("10.0.0.2")} {
			if _, refusal := w.ask(other); refusal != nil {
				t.Errorf("%s: %v is turned away: %v", header, other, refusal)
			}
		}
	}
}

func TestWhoHasACredentialCannotMultiplyByWhatIsBesideIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	junk := func(i int) []string { return []string{"X-Api-Key", "eve", "Cookie", strconv.Itoa(i)} }
	for i := range 60 {
		w.known(t, "eve", junk(i)...)
	}
	i := 0
	got := w.flood(func() *http.Request { i++; return from("10.0.0."+strconv.Itoa(i), junk(i%60)...) })
	if got != 50 {
		t.Errorf("%d of 100 were let in, want half", got)
	}
}

func TestWhoSendsSomethingElseBesideItsKeyEveryTimeMakesNobodyForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1000)
	for i := range 100 {
		w.known(t, "user "+strconv.Itoa(i), "Cookie", "s="+strconv.Itoa(i))
	}
	for i := range 20_000 {
		w.known(t, "eve", "X-Api-Key", "eve", "Cookie", strconv.Itoa(i))
	}
	for i := range 100 {
		slot, refusal := w.Admit(from("10.0.0.1", "Cookie", "s="+strconv.Itoa(i)))
		if refusal != nil {
			t.Fatal(refusal)
		}
		if slot.Unconfirmed() {
			t.Fatalf("user %d is a stranger", i)
		}
		slot.Release()
	}
}

func TestWhatIsRememberedOfCredentialsIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1000)
	const many = 40_000 // more than twice as many as are remembered
	for i := range many {
		w.known(t, strconv.Itoa(i), "Cookie", strconv.Itoa(i))
	}
	remembered := 0
	for i := range many {
		slot, refusal := w.Admit(from("10.0.0.1", "Cookie", strconv.Itoa(i)))
		if refusal != nil {
			t.Fatal(refusal)
		}
		if !slot.Unconfirmed() {
			remembered++
		}
		slot.Release()
	}
	if remembered != 16_384 {
		t.Errorf("%d are remembered", remembered)
	}
}
