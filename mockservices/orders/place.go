package orders

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"bff.internal/mockservices/internal/answer"
	"bff.internal/mockservices/internal/derive"
	"bff.internal/mockservices/internal/strict"
	"bff.internal/mockservices/token"
)

// basket is the body of POST /orders.
type basket struct {
	Items []line `json:"items"`
}

type line struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

// place is POST /orders. It answers 201 with the order, and for an Idempotency-Key that it knows with the same bytes
// again, or 422 when the body differs by as much as a space.
func (s service) place(w http.ResponseWriter, r *http.Request, caller token.Caller) error {
	whose, err := owned(r, caller)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	content, err := strict.Body(r, "application/json")
	if err != nil {
		return err
	}
	var asked basket
	if err := strict.JSON(content, &asked); err != nil {
		return err
	}
	items, err := asked.items()
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Second)
	id := "ord_" + strings.ToLower(rand.Text()[:12])
	order := newOrder(id, placed, now, items, newShipping(derive.From("shipping", id), now.AddDate(0, 0, 3)))
	digest := sha256.Sum256(content)
	order, outcome := s.books.place(whose.Key(), key, digest[:], order)
	switch outcome {
	case refused:
		return answer.NewProblem(http.StatusUnprocessableEntity, "idempotency_key_reused",
			"this Idempotency-Key came with another body before")
	case added:
		s.tell(r.Context(), whose, order)
	case repeated:
	}
	location := url.URL{Path: "/orders/" + order.ID}
	if whose.Partner != "" {
		location.RawQuery = url.Values{"partner": {whose.Partner}}.Encode()
	}
	w.Header().Set("Location", location.String())
	answer.JSON(w, http.StatusCreated, order)
	return nil
}

// items is what the lines of the basket are in the catalogue.
func (b basket) items() ([]item, error) {
	const most, mostOfOne = 20, 99
	if len(b.Items) < 1 || len(b.Items) > most {
		return nil, strict.Violated(http.StatusUnprocessableEntity, "/items", fmt.Sprintf("wants 1 to %d lines", most))
	}
	products := catalogue()
	items := make([]item, len(b.Items))
	for i, line := range b.Items {
		at := slices.IndexFunc(products, func(p product) bool { return p.sku == line.SKU })
		if at < 0 {
			return nil, strict.Violated(http.StatusUnprocessableEntity, fmt.Sprintf("/items/%d/sku", i), "is not in the catalogue")
		}
		if line.Quantity < 1 || line.Quantity > mostOfOne {
			return nil, strict.Violated(http.StatusUnprocessableEntity, fmt.Sprintf("/items/%d/quantity", i),
				fmt.Sprintf("wants a number from 1 to %d", mostOfOne))
		}
		items[i] = newItem(products[at], line.Quantity)
	}
	return items, nil
}

// idempotencyKey is the request's key without its quotes, or empty when it has none.
func idempotencyKey(r *http.Request) (string, error) {
	const longest = 255
	values := r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	key := strings.TrimSpace(values[0])
	if bare, ok := strings.CutPrefix(key, `"`); ok {
		if key, ok = strings.CutSuffix(bare, `"`); !ok {
			key = ""
		}
	}
	if len(values) > 1 || key == "" || len(key) > longest || strings.Contains(key, `"`) {
		return "", answer.NewProblem(http.StatusBadRequest, "bad_idempotency_key",
			fmt.Sprintf("Idempotency-Key wants one string of 1 to %d characters", longest))
	}
	return key, nil
}
