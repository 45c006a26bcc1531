// Money, dates and names of places, in English with the customs of the user's region.

// How many minor units make one (ISO 4217). Intl knows how many digits are shown, which for some is fewer.
const MINOR_DIGITS = new Map([
  ...'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' ').map((code) => [code, 0]),
  ...'BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3]),
  ...'CLF UYW'.split(' ').map((code) => [code, 4]),
]);

const UNKNOWN = '–';

/** The formats for a language tag (BCP 47), which may be empty or none. */
export function formats(tag) {
  const locale = english(tag) ?? english(navigator.language) ?? 'en';
  const dates = (options) => {
    const format = new Intl.DateTimeFormat(locale, options);
    return (value) => {
      const date = new Date(value ?? Number.NaN);
      return Number.isNaN(date.valueOf()) ? UNKNOWN : format.format(date);
    };
  };
  const number = new Intl.NumberFormat(locale);
  return {
    locale,
    number: (value) => number.format(value),
    money: (money) => inCurrency(locale, money, {}),
    roundMoney: (money) => inCurrency(locale, money, { notation: 'compact', minimumFractionDigits: 0, maximumFractionDigits: 1 }),
    moment: dates({ dateStyle: 'medium', timeStyle: 'short' }),
    time: dates({ timeStyle: 'short' }),
    date: dates({ dateStyle: 'long' }),
    // A day without a time is the same day everywhere.
    day: dates({ weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' }),
    shortDay: dates({ day: 'numeric', month: 'short', timeZone: 'UTC' }),
    longDay: dates({ dateStyle: 'long', timeZone: 'UTC' }),
    country: names(locale, 'region'),
    language: names(locale, 'language'),
    currency: names(locale, 'currency'),
  };
}

/** How many minor units of the currency make one, as a power of ten. */
export const minorDigits = (currency) => MINOR_DIGITS.get(currency) ?? 2;

function inCurrency(locale, money, options) {
  const digits = minorDigits(money?.currency);
  try {
    const format = new Intl.NumberFormat(locale, { style: 'currency', currency: money.currency, ...options });
    const shown = format.resolvedOptions();
    if (options.notation || shown.maximumFractionDigits >= digits || money.amount % 10 ** digits === 0) {
      return format.format(money.amount / 10 ** digits);
    }
    return new Intl.NumberFormat(locale, { style: 'currency', currency: money.currency, minimumFractionDigits: digits })
      .format(money.amount / 10 ** digits);
  } catch {
    return UNKNOWN; // an amount of nobody knows what is no amount
  }
}

function names(locale, type) {
  const known = new Intl.DisplayNames(locale, { type, fallback: 'code' });
  return (code) => {
    try {
      return code ? known.of(code) : UNKNOWN;
    } catch {
      return code;
    }
  };
}

function english(tag) {
  try {
    const { language, region } = new Intl.Locale(tag);
    if (language === 'en') return tag;
    return region ? `en-${region}` : 'en';
  } catch {
    return null;
  }
}

/** One or two letters that stand for a name. */
export function initials(name) {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const picked = words.length > 1 ? [words[0], words.at(-1)] : words;
  return picked.map((word) => [...word][0].toLocaleUpperCase()).join('') || '?';
}
