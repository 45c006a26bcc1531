// The active orders. An order keeps its element as long as it shows, so nothing jumps and nobody loses their place.

import { copy, fill, showSection, slot } from './view.js';
import { label } from './words.js';

const root = document.querySelector('[data-section="activeOrders"]');
const list = slot(root, 'list');
const count = slot(root, 'count');
const rows = new Map(); // by id, {element, shown, unmark}

/** How long a change stays marked, and an order that is no longer active stays, in milliseconds. */
export const LINGER = 6_000;

/** Shows the orders of a store. */
export function showOrders(store, state, format) {
  const orders = state.status === 'loading' ? [] : store.orders;
  const active = orders.filter(({ id }) => !store.isLeaving(id)).length;
  const isEmpty = orders.length === 0 && store.ordersKnown && state.status !== 'loading';
  showSection(root, { ...state, hasContent: orders.length > 0 || isEmpty });
  slot(root, 'empty').hidden = !isEmpty;
  count.hidden = active === 0;
  count.textContent = format.number(active);
  list.hidden = orders.length === 0;

  removeAllBut(new Set(orders.map(({ id }) => id)));
  for (const [at, order] of orders.entries()) {
    const row = rows.get(order.id) ?? add(order.id);
    if (list.children[at] !== row.element) list.insertBefore(row.element, list.children[at] ?? null);
    row.element.toggleAttribute('data-leaving', store.isLeaving(order.id));
    showOrder(row, order, format);
  }
}

/** Marks an order as just changed, in these words. */
export function markOrder(id, words) {
  const row = rows.get(id);
  if (!row) return;
  const mark = slot(row.element, 'changed');
  mark.textContent = words;
  mark.hidden = false;
  row.element.removeAttribute('data-changed');
  row.element.getBoundingClientRect(); // so that the highlight starts anew
  row.element.setAttribute('data-changed', '');
  clearTimeout(row.unmark);
  row.unmark = setTimeout(() => {
    mark.hidden = true;
    row.element.removeAttribute('data-changed');
  }, LINGER);
}

function removeAllBut(ids) {
  for (const [id, { element, unmark }] of rows) {
    if (ids.has(id)) continue;
    clearTimeout(unmark);
    element.remove();
    rows.delete(id);
  }
}

function add(id) {
  const row = { element: copy('order-template'), shown: null, unmark: null };
  row.element.dataset.order = id;
  rows.set(id, row);
  return row;
}

function showOrder(row, order, format) {
  const { element } = row;
  const shown = JSON.stringify([order, format.locale]);
  if (row.shown === shown) return;
  row.shown = shown;
  const { carrier, trackingNumber, estimatedDelivery } = order.shipping ?? {};
  element.dataset.status = order.status;
  fill(element, {
    id: order.id,
    status: label(order.status),
    total: format.money(order.total),
    placed: format.moment(order.placedAt),
    delivery: estimatedDelivery ? format.day(estimatedDelivery) : 'Not known yet',
    carrier: carrier || 'None yet',
    tracking: trackingNumber ?? '',
  });
  slot(element, 'tracking-row').hidden = !trackingNumber;
  slot(element, 'items').replaceChildren(...order.items.map((item) => {
    const line = copy('item-template');
    fill(line, { name: item.name || item.sku, quantity: format.number(item.quantity), price: format.money(item.price) });
    return line;
  }));
}
