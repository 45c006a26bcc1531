// The page: who is there decides what shows, and everything else follows from that.

import { say, unsay } from './alert.js';
import { post } from './api.js';
import { formats, initials } from './format.js';
import { Live } from './live.js';
import { Loader } from './loader.js';
import { Session } from './session.js';
import { isOrderChange, Store } from './store.js';
import { announce, setAccount, setLive, setSignIn, setUpdated, showView, silence } from './view.js';
import { showMetrics } from './view-metrics.js';
import { LINGER, markOrder, showOrders } from './view-orders.js';
import { showUser } from './view-user.js';
import { failure, label, sectionNote, signInProblem } from './words.js';

const HOME = '/web/';
const LONGEST_RETURN = 1_024;

const farewell = {
  never: ['Your dashboard', 'Your active orders as they move, what you spent lately, and your profile, in one place.'],
  signedOut: ['You have been signed out', 'Sign in again to see your dashboard.'],
  ended: ['Your session has ended', 'Sign in again to go on where you were.'],
};

const tabs = new BroadcastChannel('bff-web');
const session = new Session({ here, gone, away, ending });

// What belongs to the time in which one user is here; null while there is nobody.
let visit = null;
// Why the next 401 comes, as far as that is known.
let reason = 'never';
let isSigningOut = false;

function begin() {
  sayProblem();
  showView('waiting');
  session.check().then(() => {
    if (visit) tabs.postMessage({ type: 'signed-in', user: visit.user.id });
  });
  tabs.addEventListener('message', ({ data }) => hear(data));
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') session.checkIfOlder(10_000);
  });
  window.addEventListener('pageshow', ({ persisted }) => persisted && session.check());
  window.addEventListener('online', () => (visit ? visit.loader.ask() : session.check()));
  window.addEventListener('hashchange', () => visit ?? showSignIn());
  document.getElementById('sign-out').addEventListener('click', signOut);
  for (const button of document.querySelectorAll('[data-action="retry"]')) {
    button.addEventListener('click', () => retry(button));
  }
}

// Somebody is signed in.
function here({ user }) {
  unsay('session');
  if (isSigningOut) return;
  reason = 'ended';
  if (visit?.user.id === user.id) return;
  leave();
  const stop = new AbortController();
  const loader = new Loader(stop.signal, { answered, refused: () => session.check(), failed });
  // The dashboard that was fetched while the socket opened may lack what changed meanwhile: a gap like any other.
  const live = new Live(stop.signal, { state: setLive, change, gap: () => loader.ask(), doubt });
  visit = { user, stop, loader, store: new Store(), locale: '', format: formats(''), isProlonging: false };
  render();
  showView('in');
  loader.ask();
  live.start();
}

// Nobody is signed in.
function gone() {
  if (isSigningOut) return; // whose answer says where to go
  leave();
  unsay('session');
  showSignIn();
  showView('out');
}

function away(answer) {
  if (!visit) say('session', failure('Your session is', answer, true), { label: 'Try now', run: () => session.check() });
}

function ending(soon) {
  if (!soon || !visit) {
    unsay('ending');
  } else if (soon.final) {
    say('ending', `Your session ends at ${visit.format.time(soon.at)}. Sign in again then to go on.`);
  } else {
    say('ending', `You will be signed out at ${visit.format.time(soon.at)}, because nothing was asked for lately.`, {
      label: 'Stay signed in',
      run: stay,
    });
  }
}

// Asking for the dashboard prolongs the session; asking for the session does not.
function stay() {
  unsay('ending');
  visit.isProlonging = true;
  visit.loader.ask();
}

// Ends the visit, and leaves nothing of it on the page: a page may come back out of the browser's history.
function leave() {
  if (!visit) return;
  visit.stop.abort();
  visit = null;
  for (const subject of ['load', 'ending', 'sign-out']) unsay(subject);
  silence();
  render();
}

function answered(body, askedAt) {
  visit.store.answer(body, askedAt);
  const locale = visit.store.user?.locale ?? '';
  if (locale !== visit.locale) Object.assign(visit, { locale, format: formats(locale) });
  unsay('load');
  render();
  if (visit.isProlonging) {
    visit.isProlonging = false;
    session.check();
  }
}

function failed(answer, tryingAgain) {
  visit.store.failed();
  render();
  say('load', failure('Your data is', answer, tryingAgain), { label: 'Try now', run: () => visit.loader.ask() });
}

// What the socket brings. What is not understood is for a later page.
function change(data) {
  if (!isOrderChange(data)) return;
  const { order } = data;
  const { store } = visit;
  const what = store.change(order, performance.now());
  if (what === 'same') return;
  render();
  markOrder(order.id, what === 'new' ? 'New' : 'Updated');
  announce(what === 'new' ? `New order ${order.id}: ${label(order.status)}` : `Order ${order.id} is now ${order.status}`);
  if (what === 'left') forgetLater(store, order.id);
}

async function forgetLater(store, id) {
  await new Promise((resolve) => { setTimeout(resolve, LINGER); });
  store.forget(id);
  if (visit?.store === store) render();
}

function doubt(isOver) {
  if (isSigningOut) return undefined;
  if (isOver) reason = 'signedOut';
  return session.check();
}

async function signOut({ currentTarget: button }) {
  if (isSigningOut) return;
  isSigningOut = true;
  button.setAttribute('aria-disabled', 'true'); // and not disabled: that would lose the focus
  unsay('sign-out');
  const answer = await post('/web/logout');
  button.removeAttribute('aria-disabled');
  isSigningOut = false;
  if (answer.status === 200) {
    tabs.postMessage({ type: 'signed-out' });
    reason = 'signedOut';
    gone();
    const next = safe(answer.body?.logoutUrl);
    if (next) location.assign(next);
    return;
  }
  if (answer.status === 503) {
    say('sign-out', 'Signing out is not possible at the moment. You are still signed in: please try again.');
    return;
  }
  // It may have worked all the same, and the answer was lost.
  say('sign-out', 'Signing out did not work just now. Please try again.');
  session.check();
}

function hear(message) {
  if (message?.type === 'signed-out' && visit) {
    reason = 'signedOut';
    gone();
  } else if (message?.type === 'signed-in' && message.user !== visit?.user.id) {
    session.check();
  }
}

function retry(button) {
  button.textContent = 'Trying…';
  visit.loader.ask();
}

function render() {
  const store = visit?.store ?? new Store();
  const format = visit?.format ?? formats('');
  const name = visit ? visit.user.name || store.user?.name || visit.user.id : '';
  setAccount(name, name && initials(name));
  const state = (section) => {
    const report = store.sections[section];
    const since = report.status === 'unavailable' ? store.fetched[section] : null;
    const note = sectionNote(section, report, since ? format.time(since) : '');
    return { status: report.status, note, canRetry: !report.isLikeAll };
  };
  showMetrics(store.metrics, state('metrics'), format);
  showOrders(store, state('activeOrders'), format);
  showUser(store.user, state('user'), format);
  setUpdated(store.fetched.user ? `As of ${format.time(store.fetched.user)}` : '');
  for (const button of document.querySelectorAll('[data-action="retry"]')) {
    button.textContent = 'Try again';
  }
}

function showSignIn() {
  const here = location.pathname + location.search + location.hash;
  const encoded = encodeURIComponent(here.length <= LONGEST_RETURN ? here : HOME);
  setSignIn(...farewell[reason], `/web/login?returnTo=${encoded}`);
}

// What went wrong on the way here, said once: a reload or a bookmark is not to say it again.
function sayProblem() {
  const address = new URL(location.href);
  const code = address.searchParams.get('problem');
  if (code === null) return;
  address.searchParams.delete('problem');
  history.replaceState(history.state, '', address.pathname + address.search + address.hash);
  say('problem', signInProblem(code));
}

// The address comes from our server; that it is one of a page is all that matters here.
function safe(address) {
  try {
    const url = new URL(address);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
  } catch {
    return null;
  }
}

begin();
