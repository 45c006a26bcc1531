package orders

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
)

// ChangesStream is the Redis stream to which the Order Service appends every change of a user's order.
const ChangesStream = "orders:changes"

// maxChange is far more than an order needs.
const maxChange = 64 << 10

// Change is an order that is new, or not what it was.
type Change struct {
	// User is whose order it is.
	User  string
	Order Order
}

// ParseChange reads an entry of the stream: the field "user" and, in "order", the order as the service answers it.
func ParseChange(values map[string]any) (Change, error) {
	user, _ := values["user"].(string)
	content, _ := values["order"].(string)
	switch {
	case user == "":
		return Change{}, errors.New("a change without a user")
	case content == "":
		return Change{}, errors.New("a change without an order")
	case len(content) > maxChange:
		return Change{}, fmt.Errorf("an order of %d bytes", len(content))
	}
	change := Change{User: user}
	if err := json.Unmarshal([]byte(content), &change.Order); err != nil {
		return Change{}, errors.New("an order that is no valid JSON")
	}
	if err := change.Order.Validate(); err != nil {
		return Change{}, err
	}
	return change, nil
}
