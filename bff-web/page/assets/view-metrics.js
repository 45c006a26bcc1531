// What was spent lately.

import { drawChart, scaleFor } from './chart.js';
import { fill, showSection, slot } from './view.js';

const root = document.querySelector('[data-section="metrics"]');
let drawn = {}; // what the page shows: drawing the same again would take the pointer off a bar

/** Shows metrics, or null for none. */
export function showMetrics(metrics, state, format) {
  showSection(root, { ...state, hasContent: metrics !== null });
  slot(root, 'body').hidden = metrics === null || state.status === 'loading';
  if (drawn.metrics === metrics && drawn.locale === format.locale) return;
  drawn = { metrics, locale: format.locale };
  const currency = metrics?.spent?.currency;
  const money = (amount) => format.money({ amount, currency });
  fill(root, {
    range: metrics ? `${format.shortDay(metrics.from)} – ${format.shortDay(metrics.to)}` : '',
    spent: metrics ? format.money(metrics.spent) : '',
    orders: metrics ? format.number(metrics.orders) : '',
    caption: metrics ? summary(metrics, money, format) : '',
  });
  const days = metrics?.series ?? [];
  slot(root, 'rows').replaceChildren(...days.map((day) => row(day, money, format)));
  root.querySelector('.chart').hidden = days.length === 0;
  root.querySelector('.numbers').hidden = days.length === 0;
  if (days.length === 0) {
    slot(root, 'chart').replaceChildren();
    return;
  }
  const scale = scaleFor(days);
  const ticks = [scale, scale / 2, 0].map((amount) => format.roundMoney({ amount, currency }));
  slot(root, 'ticks').replaceChildren(...ticks.map(words));
  const labels = [days[0], days[Math.floor((days.length - 1) / 2)], days.at(-1)].map(({ date }) => format.shortDay(date));
  slot(root, 'days').replaceChildren(...labels.map(words));
  slot(root, 'chart').replaceChildren(drawChart(days, scale, {
    title: 'Spent per day',
    description: `A bar for each of ${days.length} days. ${summary(metrics, money, format)} The table below has all the numbers.`,
    label: (day) => `${format.day(day.date)}: ${money(day.spent)}, ${orders(day.orders, format)}`,
  }));
}

function summary({ series, from, to }, money, format) {
  const most = series.reduce((best, day) => (day.spent > (best?.spent ?? 0) ? day : best), null);
  if (!most) return `Nothing was spent from ${format.longDay(from)} to ${format.longDay(to)}.`;
  return `Most on ${format.day(most.date)}: ${money(most.spent)} in ${orders(most.orders, format)}.`;
}

const orders = (number, format) => (number === 1 ? '1 order' : `${format.number(number)} orders`);

function words(text) {
  const element = document.createElement('span');
  element.textContent = text;
  return element;
}

function row(day, money, format) {
  const line = document.createElement('tr');
  const head = document.createElement('th');
  head.scope = 'row';
  head.textContent = format.day(day.date);
  line.append(head, ...[format.number(day.orders), money(day.spent)].map((text) => {
    const cell = document.createElement('td');
    cell.textContent = text;
    return cell;
  }));
  return line;
}
