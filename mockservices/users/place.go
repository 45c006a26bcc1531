package users

import (
	"fmt"
	"strings"

	"bff.internal/mockservices/internal/derive"
)

// place is where somebody can live.
type place struct {
	city, country, locale, currency, dial string
	postcode                              string // where each 0 is any digit
	streets                               []string
}

func places() []place {
	return []place{
		{"Berlin", "DE", "de-DE", "EUR", "+4930", "10000", []string{"Lindenstraße", "Gartenweg", "Hauptstraße"}},
		london(),
		{"Lyon", "FR", "fr-FR", "EUR", "+3347", "69000", []string{"rue de la Gare", "rue des Lilas", "quai du Port"}},
		{"Utrecht", "NL", "nl-NL", "EUR", "+3130", "3000 AB", []string{"Molenweg", "Kerkstraat", "Havenkade"}},
		boston(),
		{"Milano", "IT", "it-IT", "EUR", "+3902", "20100", []string{"via Roma", "via dei Fiori", "corso Como"}},
	}
}

func london() place {
	return place{"London", "GB", "en-GB", "GBP", "+4420", "E0 0AB", []string{"Harbour Street", "Mill Lane", "Station Road"}}
}

func boston() place {
	return place{"Boston", "US", "en-US", "USD", "+1617", "02100", []string{"Maple Avenue", "Union Street", "Orchard Drive"}}
}

func (p place) phone(source *derive.Source) string {
	return p.dial + source.Text("0123456789", 7)
}

func (p place) address(source *derive.Source) address {
	postcode := strings.Map(func(c rune) rune {
		if c == '0' {
			return rune(source.Text("0123456789", 1)[0])
		}
		return c
	}, p.postcode)
	return address{
		Street:     fmt.Sprintf("%d %s", source.Between(1, 99), derive.Pick(source, p.streets)),
		City:       p.city,
		PostalCode: postcode,
		Country:    p.country,
	}
}
