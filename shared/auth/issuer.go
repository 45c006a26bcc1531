package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	// fetchWithin bounds one fetch, discovery included: requests wait for it.
	fetchWithin = 2 * time.Second
	// maxBody is far more than the keys of any issuer need.
	maxBody = 256 << 10
)

// issuer is where the keys come from.
type issuer struct {
	// name is the issuer as its tokens and its metadata say it.
	name string
	// reach is where this process finds it, without a slash at the end.
	reach  string
	client *http.Client
}

// newIssuer returns the issuer that is reached at internal, or, when that is "", by its name.
func newIssuer(name, internal string, transport http.RoundTripper) issuer {
	reach := cmp.Or(internal, name)
	return issuer{
		name:  name,
		reach: strings.TrimSuffix(reach, "/"),
		client: &http.Client{
			Transport: transport,
			// The keys are where the issuer says; whoever redirects elsewhere is not the issuer.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// fetch returns the issuer's keys and the address that they came from. An empty address is discovered.
func (i issuer) fetch(ctx context.Context, from string) (map[string]*key, string, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchWithin)
	defer cancel()
	if from == "" {
		var err error
		if from, err = i.discover(ctx); err != nil {
			return nil, "", err
		}
	}
	body, err := i.get(ctx, from)
	if err != nil {
		return nil, "", err
	}
	keys, err := parseKeys(body)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", from, err)
	}
	return keys, from, nil
}

// discover asks the issuer where its keys are.
func (i issuer) discover(ctx context.Context) (string, error) {
	said, err := i.metadata(ctx)
	if err != nil {
		return "", err
	}
	keys, err := i.locate(said.JWKSURI)
	if err != nil {
		return "", fmt.Errorf("%s: jwks_uri %.100q: %w", i.name, said.JWKSURI, err)
	}
	return keys, nil
}

// metadata is what an issuer says about itself.
type metadata struct {
	Issuer        string `json:"issuer"`
	JWKSURI       string `json:"jwks_uri"`       //nolint:tagliatelle // OpenID Connect Discovery says so
	TokenEndpoint string `json:"token_endpoint"` //nolint:tagliatelle // the same
}

// metadata asks the issuer about itself (OpenID Connect Discovery 1.0, section 4).
func (i issuer) metadata(ctx context.Context) (metadata, error) {
	address := i.reach + "/.well-known/openid-configuration"
	body, err := i.get(ctx, address)
	if err != nil {
		return metadata{}, err
	}
	var said metadata
	if err := json.Unmarshal(body, &said); err != nil {
		return metadata{}, fmt.Errorf("%s: %w", address, err)
	}
	if said.Issuer != i.name {
		return metadata{}, fmt.Errorf("%s: is of the issuer %.100q, not of %q", address, said.Issuer, i.name)
	}
	return said, nil
}

// locate returns where this process reaches what the issuer's metadata names.
func (i issuer) locate(published string) (string, error) {
	target, err := webURL(published)
	if err != nil {
		return "", err
	}
	outside, err := webURL(i.name)
	if err != nil {
		return "", err
	}
	inside, err := webURL(i.reach)
	if err != nil {
		return "", err
	}
	if target.Scheme == outside.Scheme && strings.EqualFold(target.Host, outside.Host) {
		target.Scheme, target.Host = inside.Scheme, inside.Host
	}
	if inside.Scheme == "https" && target.Scheme != "https" {
		return "", errors.New("is less safe than the issuer itself; wants https")
	}
	return target.String(), nil
}

func (i issuer) get(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := i.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: answered %d", address, response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("%s: the answer is larger than %d bytes", address, maxBody)
	}
	return body, nil
}
