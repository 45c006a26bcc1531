package overload

import (
	"hash/maphash"
	"net/http"
	"net/netip"
	"slices"
	"sync"
)

// seeds keep apart what is hashed: nobody's name can pass for an address, nor a cookie for a key.
type seeds struct {
	address, identity maphash.Seed
	credentials       [len(credentials)]maphash.Seed
}

// credentials are the headers that may say who is asking.
//
//nolint:gochecknoglobals // read-only
var credentials = [...]string{"Authorization", "X-Api-Key", "Cookie"}

func newSeeds() seeds {
	s := seeds{address: maphash.MakeSeed(), identity: maphash.MakeSeed()}
	for i := range s.credentials {
		s.credentials[i] = maphash.MakeSeed()
	}
	return s
}

// slot is that of the request, before it is known whether it is let in.
func (l *Limiter) slot(r *http.Request) Slot {
	credential := l.credential(r.Header)
	if credential != 0 {
		if caller, ok := l.accepted.find(credential); ok {
			return Slot{limiter: l, caller: caller}
		}
	}
	return Slot{limiter: l, caller: l.address(l.deps.Address(r)), credential: credential}
}

// credential is the hash of all that may say who is asking, or 0 when nothing does. What of that a BFF looks at need
// not be known here: whatever else is in it makes a credential that belongs to the same caller.
func (l *Limiter) credential(header http.Header) (hash uint64) {
	const odd = 0x9e3779b97f4a7c15 // so that the order counts
	for i, name := range credentials {
		for _, value := range header[name] {
			hash = hash*odd + maphash.String(l.seeds.credentials[i], value) | 1
		}
	}
	return hash
}

// address is the hash of the client's network: where IPv6 is spoken, a client has 2^64 addresses.
func (l *Limiter) address(text string) uint64 {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return maphash.String(l.seeds.address, "")
	}
	addr = addr.Unmap()
	if addr.Is4() {
		bytes := addr.As4()
		return maphash.Bytes(l.seeds.address, bytes[:])
	}
	bytes := addr.As16()
	return maphash.Bytes(l.seeds.address, bytes[:8])
}

// maxAccepted bounds what is remembered of credentials, in about a megabyte, and maxOfOne what of one caller's: who sends
// something else beside the same key every time makes us forget nobody else's.
const (
	maxAccepted = 1 << 14
	maxOfOne    = 64
)

// accepted knows whom credentials belong to that were accepted. One too many of a caller takes the place of his oldest,
// and one too many in all that of any other: who has none that is accepted cannot make it forget anything.
type accepted struct {
	mu     sync.RWMutex
	owners map[uint64]uint64
	held   map[uint64][]uint64 // by each caller, the oldest first
}

func newAccepted() accepted {
	return accepted{owners: map[uint64]uint64{}, held: map[uint64][]uint64{}}
}

func (a *accepted) find(credential uint64) (caller uint64, ok bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	caller, ok = a.owners[credential]
	return caller, ok
}

func (a *accepted) add(credential, caller uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.owners[credential]; known {
		return
	}
	if held := a.held[caller]; len(held) >= maxOfOne {
		a.forget(held[0])
	} else if len(a.owners) >= maxAccepted {
		for other := range a.owners {
			a.forget(other)
			break
		}
	}
	a.owners[credential] = caller
	a.held[caller] = append(a.held[caller], credential)
}

func (a *accepted) forget(credential uint64) {
	caller := a.owners[credential]
	delete(a.owners, credential)
	held := a.held[caller]
	if i := slices.Index(held, credential); i >= 0 {
		held = slices.Delete(held, i, i+1)
	}
	if a.held[caller] = held; len(held) == 0 {
		delete(a.held, caller)
	}
}
