// What is known of the dashboard, and in which order it became known. Nothing here touches the page.

// A fetched answer may be put together from parts that were on their way already when it was asked for, so it is
// taken to be as old as a dashboard may take, and changes that came since count more.
const ANSWER_WITHIN = 1_500;
const REMEMBERED = 200;

const isActive = (order) => order.status !== 'delivered' && order.status !== 'cancelled';

/** Whether a change is one that the page understands. */
export const isOrderChange = (data) => data?.type === 'order' && typeof data.order?.id === 'string' && Array.isArray(data.order.items);

export class Store {
  user = null;
  metrics = null;
  orders = []; // newest first; those that just ceased to be active are among them until forget
  /** Whether a list of orders was ever fetched: without one, no orders does not mean that there are none. */
  ordersKnown = false;
  /** By section: {status: 'loading' | 'ok' | 'unavailable' | 'stale', reason, age, isLikeAll: nothing is there at all}. */
  sections = { user: { status: 'loading' }, activeOrders: { status: 'loading' }, metrics: { status: 'loading' } };
  /** By section, when what is shown of it was fetched, as a Date. */
  fetched = {};

  #changes = new Map(); // by id of an order, the last change that the socket brought
  #leaving = new Set();

  /** Takes a dashboard that was asked for at a moment of performance.now(). */
  answer(body, askedAt) {
    const report = body._meta?.sections ?? {};
    for (const name of ['user', 'activeOrders', 'metrics']) {
      const missing = body[name] === null || body[name] === undefined;
      this.sections[name] = report[name] ?? { status: missing ? 'unavailable' : 'ok' };
      if (!missing) this.fetched[name] = new Date();
    }
    this.user = body.user ?? this.user;
    this.metrics = body.metrics ?? this.metrics;
    if (Array.isArray(body.activeOrders)) {
      this.ordersKnown = true;
      this.#replace(body.activeOrders, askedAt - ANSWER_WITHIN - (this.sections.activeOrders.age ?? 0) * 1_000);
    }
  }

  /** No dashboard could be had: what never came is missing, what is there stays. */
  failed() {
    for (const [name, section] of Object.entries(this.sections)) {
      if (section.status === 'loading') this.sections[name] = { status: 'unavailable', isLikeAll: true };
    }
  }

  /** Takes an order that the socket brought. Returns 'new', 'changed', 'left', or 'same' if that was known already. */
  change(order, now) {
    const at = this.orders.findIndex(({ id }) => id === order.id);
    const known = this.orders[at];
    const last = known ?? this.#changes.get(order.id)?.order;
    this.#changes.delete(order.id);
    this.#changes.set(order.id, { order, at: now });
    if (this.#changes.size > REMEMBERED) this.#changes.delete(this.#changes.keys().next().value);

    if (last && (known || !isActive(order)) && JSON.stringify(last) === JSON.stringify(order)) return 'same';
    if (isActive(order)) {
      this.#leaving.delete(order.id);
      if (known) this.orders[at] = order;
      else this.orders.unshift(order);
      return known || !this.ordersKnown ? 'changed' : 'new';
    }
    if (known) {
      this.orders[at] = order;
      this.#leaving.add(order.id);
    }
    return 'left';
  }

  isLeaving(id) {
    return this.#leaving.has(id);
  }

  /** Lets go of an order that is no longer active. */
  forget(id) {
    if (this.#leaving.delete(id)) this.orders = this.orders.filter((order) => order.id !== id);
  }

  // The fetched list is the truth of a moment; whatever changed after that moment is put over it.
  #replace(fetched, truthOf) {
    const before = this.orders;
    this.orders = [...fetched];
    const newer = [...this.#changes.values()].filter(({ at }) => at >= truthOf);
    for (const { order } of newer) {
      const at = this.orders.findIndex(({ id }) => id === order.id);
      if (isActive(order)) {
        if (at >= 0) this.orders[at] = order;
        else this.orders.unshift(order);
      } else if (at >= 0) {
        this.orders.splice(at, 1);
      }
    }
    // An order that is being taken leave of keeps its place until that is over, unless it is active after all.
    for (const [index, order] of before.entries()) {
      if (!this.#leaving.has(order.id)) continue;
      if (this.orders.some(({ id }) => id === order.id)) this.#leaving.delete(order.id);
      else this.orders.splice(Math.min(index, this.orders.length), 0, order);
    }
  }
}
