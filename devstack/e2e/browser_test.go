package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// pageWithin is how long a browser may take for one thing that a test waits for, on a busy machine.
const pageWithin = 30 * time.Second

// tab is a tab of a real browser.
type tab struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // chromedp keeps a tab in one

	mu      sync.Mutex
	console []chromedp.ConsoleMessage
}

// openBrowser starts a Chromium with an empty profile and one tab. The test closes it. Without a Chromium the test is
// skipped, but fails where CI=true.
func openBrowser(t *testing.T) *tab {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" && os.Getenv("CI") == "true" {
		t.Fatal("there is no Chromium on the PATH, and CI must not skip")
	}
	if path == "" {
		t.Skip("there is no Chromium on the PATH")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	browser, closeBrowser := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		closeBrowser()
		stop()
		chromedp.FromContext(browser).Allocator.Wait()
	})
	return newTab(t, browser)
}

func newTab(t *testing.T, ctx context.Context) *tab { //nolint:revive // the test is what everything here belongs to
	t.Helper()
	b := &tab{t: t, ctx: ctx}
	messages := chromedp.Console(ctx)
	var reading sync.WaitGroup
	reading.Go(func() {
		for message, err := range messages {
			if err != nil {
				return
			}
			b.mu.Lock()
			b.console = append(b.console, message)
			b.mu.Unlock()
		}
	})
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // closed already, perhaps, with the browser
		reading.Wait()
	})
	return b
}

// another opens one more tab of the same browser.
func (b *tab) another() *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	return newTab(b.t, ctx)
}

// do fails the test unless the steps succeed within pageWithin; it also shows what is there instead.
func (b *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageWithin)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.shoot("failed")
		b.t.Fatalf("%s: %v\nat %s: %s", what, err, run(b, chromedp.Location()), run(b, chromedp.Evaluate[string]("document.body.innerText")))
	}
}

// run returns what the browser says.
func run[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageWithin)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Error(err)
	}
	return value
}

// appears waits until something that the selector finds can be seen.
func (b *tab) appears(selector string) {
	b.t.Helper()
	b.do("waiting for "+selector, chromedp.WaitVisible(selector, chromedp.RetryInterval(10*time.Millisecond)))
}

// shoot takes a picture of the whole page, into the directory of -artifacts if go test has that flag.
func (b *tab) shoot(name string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageWithin)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(b.t.ArtifactDir(), name+".png"), picture, 0o600)
	}
	if err != nil {
		b.t.Error(err)
	}
}

// signIn fills in the provider's login page.
func (b *tab) signIn(user string) {
	b.t.Helper()
	b.appears(`input[name=username]`)
	b.do("signing in",
		chromedp.SendKeys(`input[name=username]`, user), chromedp.SendKeys(`input[name=password]`, "demo\r"))
}

// cookie returns the session's cookie, which no script of the page can read.
func (b *tab) cookie(server string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageWithin)
	defer cancel()
	got, err := chromedp.Call(ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{server + "/web/"}})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, cookie := range got.Cookies {
		if cookie.Name == "__Host-session" {
			if !cookie.HTTPOnly || !cookie.Secure || cookie.SameSite != network.CookieSameSiteStrict {
				b.t.Errorf("the cookie is %+v", cookie)
			}
			return cookie.Name + "=" + cookie.Value
		}
	}
	b.t.Fatal("there is no session cookie")
	return ""
}

// checkConsole fails the test if the browser had to complain about our page.
func (b *tab) checkConsole() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, message := range b.console {
		if message.IsException() || message.Source == "security" || strings.Contains(message.Text, "Content Security Policy") ||
			strings.Contains(message.Text, "Trusted Type") {
			b.t.Errorf("the browser says: %s", message)
		}
	}
}
