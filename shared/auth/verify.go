package auth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/maypok86/otter/v2"
)

const (
	// leeway is how far the issuer's clock may be from ours.
	leeway = 10 * time.Second
	// maxVerified bounds the memory of tokens, in bytes as weigh counts them: some ten thousand usual ones.
	maxVerified = 8 << 20
)

// Verifier checks the access tokens of one issuer for one audience. It may be used concurrently.
type Verifier struct {
	cfg        Config
	challenges challenges
	keys       *keySet
	parser     *jwt.Parser
	claims     *jwt.Validator
	// verified remembers tokens by their hash, so that it holds none. Nothing in it expires by itself:
	// every hit is judged anew, and what is not used any more is crowded out.
	verified *otter.Cache[[sha256.Size]byte, *identity]
}

// identity is what is known from a token that was verified.
type identity struct {
	caller Caller
	// boxed is the caller as a context carries it, made once.
	boxed any
	// key tells callers apart, see upstream.Credentials.
	key string
	// until is when the token ends, with the leeway that it had when it was verified.
	until time.Time
	// kid and signer are the key that vouches for all this.
	kid    string
	signer *key
	// lacks is a required scope that the token does not have, or empty.
	lacks string
}

// NewVerifier returns a verifier that fetches the issuer's keys through transport, the first time when a
// token needs one. It says to log, once each, when the keys cannot be fetched and when they can again. It
// panics when cfg is not valid. Refresh has to run while it is used, or removed keys go on working for a
// day.
func NewVerifier(cfg Config, transport http.RoundTripper, log *slog.Logger) *Verifier {
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	options := []jwt.ParserOption{
		jwt.WithValidMethods(cfg.Algorithms),
		jwt.WithIssuer(cfg.Issuer),
		jwt.WithAudience(cfg.Audience),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithStrictDecoding(),
	}
	return &Verifier{
		cfg:        cfg,
		challenges: challenges{realm: cfg.Audience, scopes: cfg.RequiredScopes},
		keys:       newKeySet(newIssuer(cfg.Issuer, cfg.InternalURL, transport), log),
		parser:     jwt.NewParser(options...),
		claims:     jwt.NewValidator(options...),
		verified: otter.Must(&otter.Options[[sha256.Size]byte, *identity]{
			MaximumWeight: maxVerified,
			Weigher:       func(_ [sha256.Size]byte, id *identity) uint32 { return id.weigh() },
			// Tidying up on the request that makes it necessary needs no goroutine that somebody has to own.
			Executor: func(tidy func()) { tidy() },
		}),
	}
}

// Refresh fetches the issuer's keys every two minutes, sooner after a failure, until ctx ends. It returns
// nil when no fetch is under way, at most two seconds after that. The owner of the process runs it in a
// goroutine and waits for it.
func (v *Verifier) Refresh(ctx context.Context) error {
	v.keys.refresh(ctx)
	return nil
}

// Verify returns the caller who got the access token. It fetches the issuer's keys when it does not know
// the one that the token names, and waits for that no longer than ctx. The error is a problem.Problem, or
// that of ctx.
func (v *Verifier) Verify(ctx context.Context, token string) (Caller, error) {
	id, err := v.identify(ctx, token)
	if err != nil {
		return Caller{}, err
	}
	return id.caller, nil
}

// identify is Verify with all that is known. A token is verified once for as long as its key lives.
func (v *Verifier) identify(ctx context.Context, token string) (*identity, error) {
	if len(token) > maxToken {
		return nil, v.challenges.refused(errTooLong)
	}
	// A conversion would copy every token to the heap; this copies all but giant ones to the stack.
	hash := sha256.Sum256(append(make([]byte, 0, 2<<10), token...))
	id, hit := v.verified.GetIfPresent(hash)
	if now := time.Now(); !hit || !now.Before(id.until) || v.keys.known(id.kid, now) != id.signer {
		var err error
		if id, err = v.verify(ctx, token); err != nil {
			return nil, v.challenges.refused(err)
		}
		v.verified.Set(hash, id)
	}
	if id.lacks != "" {
		return nil, v.challenges.forbidden(id.lacks)
	}
	return id, nil
}

// verify judges a token by all rules but its scopes.
func (v *Verifier) verify(ctx context.Context, token string) (*identity, error) {
	h, err := parseHeader(token)
	if err != nil {
		return nil, err
	}
	if err := h.check(v.cfg.Algorithms, v.cfg.PlainJWT); err != nil {
		return nil, err
	}
	var (
		c       claims
		signer  *key
		refused error
	)
	_, err = v.parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) {
		if signer, refused = v.signer(ctx, h, &c); refused != nil {
			return nil, refused
		}
		return signer.public, nil
	})
	switch {
	case refused != nil:
		return nil, refused
	case err != nil:
		return nil, err
	}
	return v.identityOf(&c, h.KeyID, signer), nil
}

// signer returns the key that has to have signed the token, which has not been shown yet. The claims come
// first: what no key can make valid must not cost a fetch, nor be blamed on an issuer that is away.
func (v *Verifier) signer(ctx context.Context, h header, c *claims) (*key, error) {
	if err := v.claims.Validate(c); err != nil {
		return nil, err
	}
	if err := c.check(h, v.cfg.Audience); err != nil {
		return nil, err
	}
	k, err := v.keys.find(ctx, h.KeyID)
	if err != nil {
		return nil, err
	}
	if k.algorithm != h.Algorithm {
		return nil, fmt.Errorf("%w: its key is for %s", errWrongMethod, k.algorithm)
	}
	return k, nil
}

func (v *Verifier) identityOf(c *claims, kid string, signer *key) *identity {
	caller := Caller{
		Kind:     KindUser,
		ID:       c.Subject,
		ClientID: c.ClientID,
		Scopes:   c.scopes(),
		Expires:  time.Unix(int64(*c.Expires), 0).UTC(),
	}
	id := &identity{
		caller: caller,
		boxed:  caller,
		key:    caller.Key(c.Issuer),
		until:  caller.Expires.Add(leeway),
		kid:    kid,
		signer: signer,
	}
	for _, scope := range v.cfg.RequiredScopes {
		if !slices.Contains(caller.Scopes, scope) {
			id.lacks = scope
		}
	}
	return id
}

// weigh is about how many bytes of memory the identity takes. A token is at most 8 KiB, so this is no large number.
func (id *identity) weigh() uint32 {
	const fixed, scope = 512, 16
	return uint32(fixed + 2*len(id.key) + scope*len(id.caller.Scopes)) //nolint:gosec // see above
}
