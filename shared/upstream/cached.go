package upstream

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"bff.internal/shared/cache"
	"bff.internal/shared/telemetry"
)

// cached answers GETs with what the service has answered to the same caller, as long and as far as the service allows
// it. Errors are never stored, nor is what holds no value.
type cached struct {
	next      http.RoundTripper
	service   string
	answers   *cache.Store
	telemetry *telemetry.Telemetry
	// refreshing has the keys of entries that are asked for while nobody waits.
	refreshing *sync.Map
	background Background
}

// keyOf names the answer to a request; ok is false for one whose answer is not to be shared: a change, or the request of
// nobody.
func keyOf(req *http.Request, service string) (key cache.Key, ok bool) {
	credentials, known := CredentialsFrom(req.Context())
	if !known || req.Method != http.MethodGet {
		return cache.Key{}, false
	}
	return cache.Key{Caller: credentials.Key, Service: service, Target: req.URL.RequestURI(), As: callOf(req).as}, true
}

func (l cached) RoundTrip(req *http.Request) (*http.Response, error) {
	key, ok := keyOf(req, l.service)
	if !ok {
		return l.next.RoundTrip(req)
	}
	entry, now := l.answers.Get(key, req.Header), time.Now()
	switch {
	case entry == nil:
		return l.ask(req, key)
	case entry.Fresh(now):
		return l.stored(req, entry, cache.Use{Status: cache.Hit}), nil
	case entry.ServableWhileRevalidating(now):
		l.refresh(req, key, entry)
		return l.stored(req, entry, cache.Use{Status: cache.Stale}), nil
	default:
		return l.revalidate(req, key, entry)
	}
}

// ask gets an answer of which nothing is stored.
func (l cached) ask(req *http.Request, key cache.Key) (*http.Response, error) {
	x := l.begin(req)
	resp, err := l.next.RoundTrip(req)
	if err == nil {
		l.keep(req, key, x, resp)
	}
	return resp, err
}

// revalidate asks the service whether the entry is still good. Where the service cannot say, the entry may have to do.
func (l cached) revalidate(req *http.Request, key cache.Key, entry *cache.Entry) (*http.Response, error) {
	ctx, x := req.Context(), l.begin(req)
	entry.Conditions(req.Header)
	timely := req
	if entry.ServableOnError(x.Asked) {
		sooner, cancel := sooner(ctx)
		defer cancel()
		timely = req.WithContext(sooner)
	}
	resp, err := l.next.RoundTrip(timely)
	switch {
	case ctx.Err() != nil:
		return nil, wireError(ctx, l.service, ctx.Err())
	case isFailure(resp, err) && entry.ServableOnError(time.Now()):
		return l.stored(req, entry, cache.Use{Status: cache.Stale}), nil
	case err != nil:
		return nil, err
	case resp.StatusCode == http.StatusNotModified:
		return l.renewed(req, key, x, entry, resp), nil
	default:
		l.keep(req, key, x, resp)
		return resp, nil
	}
}

// sooner is a context that ends early enough for a stored answer to be given in time instead.
func sooner(ctx context.Context) (context.Context, context.CancelFunc) {
	const reserve, most = 0.1, 20 * time.Millisecond
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithTimeout(ctx, refreshWithin)
	}
	left := time.Until(deadline)
	return context.WithDeadline(ctx, deadline.Add(-min(most, time.Duration(reserve*float64(left)))))
}

// isFailure reports whether the service could not say what it was asked: what it means to say, it means.
func isFailure(resp *http.Response, err error) bool {
	return !succeeded(resp, err) || resp.StatusCode == http.StatusTooManyRequests
}

// begin is an exchange that begins now.
func (l cached) begin(req *http.Request) cache.Exchange {
	return cache.Exchange{Mark: l.answers.Now(), Request: req.Header, Asked: time.Now()}
}

// ended is the exchange with its answer. If another request had asked for it, that was when it began.
func ended(x cache.Exchange, req *http.Request, resp *http.Response) cache.Exchange {
	x.Response, x.Answered = resp.Header, time.Now()
	if f := callOf(req).shared; f != nil {
		x.Mark, x.Asked = f.since, f.asked
	}
	return x
}

// keep stores an answer of the service, if the service allows it, and forgets what it takes back.
func (l cached) keep(req *http.Request, key cache.Key, x cache.Exchange, resp *http.Response) {
	x = ended(x, req, resp)
	body, ok := resp.Body.(*answer)
	if !ok { // it holds no value: an error, or there is nothing
		if succeeded(resp, nil) && resp.StatusCode != http.StatusTooManyRequests {
			l.answers.Forget(key)
		}
		return
	}
	x.Value, x.Size = body.value, body.size
	entry := cache.NewEntry(x)
	use := cache.Use{Status: cache.Miss, Forbidden: cache.Forbidden(resp.Header)}
	if callOf(req).shared != nil {
		use.Status = cache.Collapsed
	}
	if entry == nil {
		l.answers.Forget(key)
	} else {
		l.answers.Put(key, entry)
		use.Explicit, use.Remaining = entry.Explicit(), entry.Remaining(x.Answered)
	}
	l.note(req, use)
}

// renewed stores the entry with what a 304 says of it.
func (l cached) renewed(req *http.Request, key cache.Key, x cache.Exchange, entry *cache.Entry, resp *http.Response) *http.Response {
	x = ended(x, req, resp)
	fresh := entry.Renewed(x)
	if fresh == nil { // it is good for now, and not to be kept
		l.answers.Forget(key)
		return l.stored(req, entry, cache.Use{Status: cache.Revalidated, Forbidden: cache.Forbidden(resp.Header)})
	}
	l.answers.Put(key, fresh)
	return l.stored(req, fresh, cache.Use{Status: cache.Revalidated})
}

// stored is the answer out of the store.
func (l cached) stored(req *http.Request, entry *cache.Entry, use cache.Use) *http.Response {
	now := time.Now()
	use.Explicit, use.Remaining, use.Age = entry.Explicit(), entry.Remaining(now), entry.Age(now)
	l.note(req, use)
	return &http.Response{StatusCode: http.StatusOK, Body: &answer{ReadCloser: http.NoBody, value: entry.Value()}, Request: req}
}

// note tells whoever gets the answer where it came from.
func (l cached) note(req *http.Request, use cache.Use) {
	call := callOf(req)
	if call.unread {
		return
	}
	call.from = use.Status
	cache.NotesFrom(req.Context()).Add(use)
	l.telemetry.Metrics.AnswerFrom(l.service, use.Status.String())
}

// refreshWithin is how long a call may take that nobody waits for.
const refreshWithin = 5 * time.Second

// refresh revalidates the entry while nobody waits, unless that is going on.
func (l cached) refresh(req *http.Request, key cache.Key, entry *cache.Entry) {
	if _, going := l.refreshing.LoadOrStore(key, true); going {
		return
	}
	behind := req.Clone(context.WithoutCancel(req.Context())) // the request itself ends long before
	l.background("refresh of an answer", func(ctx context.Context) error {
		own, cancel := context.WithTimeout(behind.Context(), refreshWithin)
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		defer l.refreshing.Delete(key)
		defer func() {
			if thrown := recover(); thrown != nil { // once is enough
				l.telemetry.Log.Error("panic in a call", slog.String("upstream", l.service), slog.Any("panic", thrown), slog.String("stack", string(debug.Stack())))
			}
		}()
		_, _ = l.revalidate(behind.WithContext(callOf(behind).behind(own)), key, entry)
		return nil
	})
}
