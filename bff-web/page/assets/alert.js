// The one place for what has to be said. Several things may have to be; the last one shows.

const box = document.getElementById('alert');
const text = document.getElementById('alert-text');
const action = document.getElementById('alert-action');

const messages = new Map(); // by subject

/** Says it, with a button: {label, run}. Without one the button makes it go away. */
export function say(subject, words, button = null) {
  messages.delete(subject);
  messages.set(subject, { words, button: button ?? { label: 'Dismiss', run: () => unsay(subject) } });
  show();
}

/** Takes it back. */
export function unsay(subject) {
  if (messages.delete(subject)) show();
}

action.addEventListener('click', () => [...messages.values()].at(-1)?.button.run());

function show() {
  const last = [...messages.values()].at(-1);
  if (!last && box.contains(document.activeElement)) document.getElementById('main').focus();
  box.hidden = last === undefined;
  // The same words again would be read out again.
  if (text.textContent !== (last?.words ?? '')) text.textContent = last?.words ?? '';
  action.textContent = last?.button.label ?? '';
}
