package orders

import (
	"strconv"
	"time"

	"bff.internal/mockservices/internal/derive"
)

// product is something to buy.
type product struct {
	sku, name string
	cents     int
}

func catalogue() []product {
	return []product{
		{"AUD-10417", "Wireless headphones", 12_900},
		{"AUD-20933", "Bookshelf speaker", 18_950},
		{"BAG-11820", "Canvas messenger bag", 7_490},
		{"BOK-30571", "The Art of Interfaces", 3_995},
		{"CAB-00218", "USB-C cable, 2 m", 1_290},
		{"CAM-41906", "Compact camera", 34_900},
		{"CUP-51233", "Stoneware mug", 1_650},
		{"DSK-60714", "Standing desk mat", 5_990},
		{"KBD-20417", "Mechanical keyboard", 8_990},
		{"LMP-73350", "Reading lamp", 4_450},
		{"MON-80112", "27-inch monitor", 28_900},
		{"MOU-20881", "Ergonomic mouse", 6_490},
		{"NTB-31007", "Dotted notebook", 1_190},
		{"PEN-31562", "Fountain pen", 4_290},
		{"STD-90245", "Laptop stand", 3_990},
		{"WAT-12678", "Insulated bottle", 2_790},
	}
}

// derived is the orders that whose has without having written anything: eight active ones of the last days before
// today, and four to eight past ones.
func derived(whose string, today time.Time) []order {
	life := []status{placed, placed, packed, packed, shipped, shipped, shipped, shipped}
	source := derive.From("orders", whose)
	orders := make([]order, 0, len(life)+8)
	for age, status := range life {
		placedAt := someTime(source, today.AddDate(0, 0, -age-1))
		orders = append(orders, newDerived(source, status, placedAt, today.AddDate(0, 0, source.Between(1, 5))))
	}
	for past := range source.Between(4, 8) {
		status := derive.Pick(source, []status{delivered, delivered, delivered, cancelled})
		placedAt := someTime(source, today.AddDate(0, 0, -14-10*past-source.Between(0, 9)))
		orders = append(orders, newDerived(source, status, placedAt, placedAt.AddDate(0, 0, source.Between(2, 5))))
	}
	return orders
}

func newDerived(source *derive.Source, status status, placedAt, delivery time.Time) order {
	products := catalogue()
	items := make([]item, 3)
	// Steps of five through sixteen products never meet the same one twice in three.
	first := source.Between(0, len(products)-1)
	for i := range items {
		items[i] = newItem(products[(first+5*i)%len(products)], source.Between(1, 3))
	}
	return newOrder("ord_"+source.Text("0123456789abcdef", 12), status, placedAt, items, newShipping(source, delivery))
}

func newOrder(id string, status status, placedAt time.Time, items []item, shipping shipping) order {
	total := money{Currency: "EUR"}
	for _, item := range items {
		total.Amount += item.Quantity * item.Price.Amount
	}
	return order{ID: id, Status: status, PlacedAt: placedAt, Total: total, Items: items, Shipping: shipping}
}

func newItem(p product, quantity int) item {
	return item{SKU: p.sku, Name: p.name, Quantity: quantity, Price: money{Amount: p.cents, Currency: "EUR"}}
}

func newShipping(source *derive.Source, delivery time.Time) shipping {
	return shipping{
		Carrier:           derive.Pick(source, []string{"DHL", "UPS", "DPD", "GLS"}),
		TrackingNumber:    "JD0" + strconv.Itoa(source.Between(1, 9)) + source.Text("0123456789", 14),
		EstimatedDelivery: delivery.Format(time.DateOnly),
	}
}

func someTime(source *derive.Source, day time.Time) time.Time {
	return day.Add(time.Duration(source.Between(6*3600, 22*3600)) * time.Second)
}
