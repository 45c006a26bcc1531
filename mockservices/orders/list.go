package orders

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"bff.internal/mockservices/internal/answer"
	"bff.internal/mockservices/internal/owner"
	"bff.internal/mockservices/internal/strict"
	"bff.internal/mockservices/token"
)

const (
	defaultLimit = 20
	maxLimit     = 100
)

// page is a part of somebody's orders, newest first.
type page struct {
	Orders []order `json:"orders"`
	Next   string  `json:"next,omitzero"` // the cursor of the page after this one; absent on the last
}

// list is GET /orders?user=me|partner=<id>&status=&limit=&cursor=.
func (s service) list(w http.ResponseWriter, r *http.Request, caller token.Caller) error {
	query, err := strict.Query(r, "user", "partner", "status", "limit", "cursor")
	if err != nil {
		return err
	}
	whose, err := owner.Asked(query, caller)
	if err != nil {
		return err
	}
	filter := query.Get("status")
	if filter != "" && !slices.Contains(filters(), filter) {
		return strict.BadQuery("status wants one of " + strings.Join(filters(), ", "))
	}
	limit, err := limitOf(query)
	if err != nil {
		return err
	}
	all, err := after(query.Get("cursor"), s.books.all(whose.Key()))
	if err != nil {
		return err
	}
	answer.Cached(w, r, cacheControl, newPage(all, filter, limit))
	return nil
}

func newPage(all []order, filter string, limit int) page {
	shown := page{Orders: []order{}}
	for _, order := range all {
		if !order.Status.matches(filter) {
			continue
		}
		if len(shown.Orders) == limit {
			shown.Next = cursor(shown.Orders[limit-1])
			break
		}
		shown.Orders = append(shown.Orders, order)
	}
	return shown
}

func limitOf(query url.Values) (int, error) {
	if query.Get("limit") == "" {
		return defaultLimit, nil
	}
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil || limit < 1 || limit > maxLimit {
		return 0, strict.BadQuery("limit wants a whole number from 1 to " + strconv.Itoa(maxLimit))
	}
	return limit, nil
}

// cursor names the last order of a page, so that orders placed meanwhile do not move the next one.
func cursor(last order) string {
	return base64.RawURLEncoding.EncodeToString([]byte(last.ID))
}

// after is the orders that follow the one that the cursor names; all of them for an empty cursor.
func after(cursor string, all []order) ([]order, error) {
	if cursor == "" {
		return all, nil
	}
	id, err := base64.RawURLEncoding.DecodeString(cursor)
	at := slices.IndexFunc(all, func(o order) bool { return o.ID == string(id) })
	if err != nil || at < 0 {
		return nil, strict.BadQuery("cursor is not one of this list")
	}
	return all[at+1:], nil
}
