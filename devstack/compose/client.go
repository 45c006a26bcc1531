package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// answer is an answer whose body has been read.
type answer struct {
	status int
	header http.Header
	body   string
}

// get asks the edge. The target is sent as it stands, however odd.
func (s *suite) get(ctx context.Context, target string, header http.Header) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.edge, http.NoBody)
	if err != nil {
		return answer{}, err
	}
	req.URL.Opaque = target
	return s.send(req, header)
}

// send sends a request with these headers and no others.
func (s *suite) send(req *http.Request, header http.Header) (answer, error) {
	if header != nil {
		req.Header = header.Clone()
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{status: resp.StatusCode, header: resp.Header, body: string(body)}, err
}

// String is enough of an answer to see what is wrong with it.
func (a answer) String() string { return fmt.Sprintf("%d %v %.300s", a.status, a.header, a.body) }

// want says what is different from what was wanted: a status, and a text in the body.
func (a answer) want(status int, says string) error {
	if a.status != status || !strings.Contains(a.body, says) {
		return fmt.Errorf("want %d with %q, got %v", status, says, a)
	}
	if kind := a.header.Get("Content-Type"); status >= http.StatusBadRequest && kind != "application/problem+json" {
		return fmt.Errorf("Content-Type is %q, want a problem", kind)
	}
	return nil
}

// person is somebody with an account at everything.
type person struct {
	token  string // of the mobile app
	cookie string // of bff-web
	key    string // of the company
}

// newPerson signs somebody in and has a key made for a partner, each as people do.
func (s *suite) newPerson(ctx context.Context, user, partner string) (person, error) {
	var credentials struct{ Mobile struct{ Token string } }
	var session struct{ Cookie string }
	var key struct {
		Key string `json:"key"`
	}
	query := "?user=" + url.QueryEscape(user)
	created, err := s.project.compose(ctx, "exec", "-T", "bff-partner", "bff-partner", "keys", "create", "--partner", partner, "--output", "json")
	err = errors.Join(s.fetch(ctx, "/dev/credentials"+query, &credentials), s.fetch(ctx, "/dev/session"+query, &session), err)
	if err == nil {
		err = json.Unmarshal([]byte(created), &key)
	}
	found := person{token: credentials.Mobile.Token, cookie: session.Cookie, key: key.Key}
	if err == nil && (found.token == "" || found.cookie == "" || found.key == "") {
		err = errors.New("a token, a session or a key is empty")
	}
	return found, err
}

// fetch decodes an answer of the edge.
func (s *suite) fetch(ctx context.Context, target string, into any) error {
	got, err := s.get(ctx, target, nil)
	if err != nil {
		return err
	}
	if err := got.want(http.StatusOK, "{"); err != nil {
		return fmt.Errorf("%s: %w", target, err)
	}
	return json.Unmarshal([]byte(got.body), into)
}

func (s *suite) signIn(ctx context.Context) (string, error) {
	var err error
	if s.person, err = s.newPerson(ctx, "ada", "acme"); err != nil {
		return "", err
	}
	var credentials struct{ Partner struct{ Key string } }
	if err := s.fetch(ctx, "/dev/credentials", &credentials); err != nil {
		return "", err
	}
	err = s.look(ctx, partnerDashboard(), person{key: credentials.Partner.Key}, func(got answer) error { return got.want(http.StatusOK, "{") })
	return "a mobile token, a web session, an API key; the demo key is good too", err
}
