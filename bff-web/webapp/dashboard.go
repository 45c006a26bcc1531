package webapp

import (
	"time"

	"github.com/labstack/echo/v4"

	"bff.internal/bff-web/internal/view"
	"bff.internal/shared/clients/analytics"
	"bff.internal/shared/clients/orders"
	"bff.internal/shared/fanout"
	"bff.internal/shared/web"
)

// What the dashboard waits for, and how long.
const (
	dashboardWithin = 1500 * time.Millisecond
	ordersWithin    = 800 * time.Millisecond
	metricsWithin   = 800 * time.Millisecond
)

func (s *service) dashboard(c echo.Context) error {
	calls := fanout.New(c.Request().Context(), dashboardWithin)
	user := fanout.Required(calls, "user", s.users.Get, "me")
	active := fanout.Optional(calls, "activeOrders", s.orders.List, orders.Query{User: "me", Status: "active"}, fanout.Within(ordersWithin))
	metrics := fanout.Optional(calls, "metrics", s.analytics.Metrics, analytics.Query{User: "me"}, fanout.Within(metricsWithin))
	report, err := calls.Wait()
	if err != nil {
		return err
	}
	return web.Partial(c, view.NewDashboard(user.Value(), active.Value(), metrics.Value()), report)
}
