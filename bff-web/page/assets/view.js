// The frame: which view shows, who is there, the mark of the socket, and what is read out.

const byId = (id) => document.getElementById(id);

/** The element below root that has a slot's name. */
export const slot = (root, name) => root.querySelector(`[data-slot="${name}"]`);

/** Puts text into slots, by name. */
export function fill(root, texts) {
  for (const [name, text] of Object.entries(texts)) slot(root, name).textContent = text;
}

/** A new copy of what a template holds. */
export const copy = (id) => byId(id).content.firstElementChild.cloneNode(true);

const titles = { waiting: 'Dashboard', out: 'Sign in – Dashboard', in: 'Dashboard' };

/** Shows 'waiting', 'out' or 'in'. Whoever was at a place that is gone is taken to the top of what came. */
export function showView(name) {
  const place = document.activeElement;
  for (const view of Object.keys(titles)) byId(`view-${view}`).hidden = view !== name;
  byId('account').hidden = name !== 'in';
  document.title = titles[name];
  if (place && place !== document.body && !place.checkVisibility()) byId({ out: 'out-title', in: 'greeting' }[name] ?? 'main').focus();
}

/** What the view for nobody says, and where its link comes back to. */
export function setSignIn(title, words, href) {
  byId('out-title').textContent = title;
  byId('out-text').textContent = words;
  byId('sign-in').href = href;
}

/** Names who is there; '' is nobody. */
export function setAccount(name, letters) {
  byId('account-name').textContent = name;
  byId('account-initials').textContent = letters;
  byId('greeting').textContent = name ? `Hello, ${name}` : 'Hello';
}

/** Says how new everything is. */
export function setUpdated(words) {
  byId('updated').textContent = words;
}

const liveWords = { connecting: 'Connecting', live: 'Live', offline: 'Offline' };

/** Marks the socket as 'connecting', 'live' or 'offline'. */
export function setLive(state) {
  byId('live').dataset.state = state;
  if (byId('live-text').textContent !== liveWords[state]) byId('live-text').textContent = liveWords[state];
}

/** Has words read out, after whatever is being read, without showing them. */
export function announce(words) {
  const line = document.createElement('p');
  line.textContent = words;
  byId('announcements').append(line);
  setTimeout(() => line.remove(), 15_000);
}

/** Takes back whatever waits to be read out. */
export function silence() {
  byId('announcements').replaceChildren();
}

/**
 * Shows a section's state, and a note unless it is ''. canRetry: trying again is offered beside the note. hasContent:
 * something else is there to be shown.
 */
export function showSection(root, { status, note, canRetry, hasContent }) {
  root.dataset.status = status;
  root.setAttribute('aria-busy', String(status === 'loading'));
  slot(root, 'skeleton').hidden = status !== 'loading';
  if (note === '' && slot(root, 'note').contains(document.activeElement)) root.querySelector('h2').focus();
  slot(root, 'note').hidden = note === '';
  slot(root, 'note').classList.toggle('note-alone', !hasContent);
  slot(root, 'note-text').textContent = note;
  root.querySelector('[data-action="retry"]').hidden = !canRetry;
}
