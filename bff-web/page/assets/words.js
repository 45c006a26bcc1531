// What the page says about what went wrong.

const signInProblems = {
  invalid_state: 'That sign-in does not belong to this browser, or was used before. Please sign in again.',
  login_expired: 'Signing in took too long. Please start again.',
  login_refused: 'The sign-in was refused.',
  login_failed: 'The sign-in failed. Please try again.',
  invalid_return_to: 'The link that you followed leads to no page of ours.',
  session_unavailable: 'Signing in is not possible at the moment. Please try again in a minute.',
  identity_unavailable: 'The service that signs you in does not answer. Please try again in a minute.',
  stopping: 'The server was about to restart. Please try again.',
};

/** Words for ?problem=. An unknown code is not repeated: anybody can put one into a link. */
export const signInProblem = (code) =>
  Object.hasOwn(signInProblems, code) ? signInProblems[code] : 'Something went wrong. Please try again.';

const reasons = {
  timeout: 'It took too long to answer.',
  refused: 'It cannot be reached.',
  denied: 'It did not allow it.',
  bad_answer: 'Its answer was of no use.',
  breaker_open: 'It failed too often lately, and is left alone for a moment.',
  shed: 'There is too much to do just now.',
};

const sections = {
  user: { what: 'Your profile', is: 'is' },
  activeOrders: { what: 'Orders', is: 'are' },
  metrics: { what: 'Spending', is: 'is' },
};

/** What to say about a section, '' if it is as it should be. shownFrom is when the data that is there came, or ''. */
export function sectionNote(name, { status, reason, age }, shownFrom) {
  const { what, is } = sections[name];
  if (status === 'stale') {
    return `${what} ${is} ${duration(age)} old: nothing newer could be had.`;
  }
  if (status !== 'unavailable') {
    return '';
  }
  const words = [`${what} ${is} not available at the moment${reason ? ` (${reason})` : ''}.`];
  if (reason && Object.hasOwn(reasons, reason)) words.push(reasons[reason]);
  if (shownFrom) words.push(`You see what was there at ${shownFrom}.`);
  return words.join(' ');
}

/** Why what was asked for did not come. subject is what that was, such as 'Your data is'. */
export function failure(subject, { status, problem }, tryingAgain) {
  const words = [];
  if (status === 0) {
    words.push(navigator.onLine ? 'The server does not answer.' : 'You are offline.');
  } else if (status === 404) {
    words.push('There is no profile for your account.');
  } else if (status === 403) {
    words.push('Your account may not see this.');
  } else if (status >= 500 || status === 429) {
    words.push(`${subject} not available at the moment.`);
  } else {
    words.push(`${subject} not to be had.`);
  }
  if (tryingAgain) words.push('The page tries again by itself; you stay signed in.');
  return words.join(' ') + (problem.traceId ? `\nReference: ${problem.traceId}` : '');
}

/** "shipped" as it stands on a label, for statuses that are yet to come too. */
export function label(word) {
  const spaced = String(word).replaceAll('_', ' ');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

function duration(seconds) {
  if (seconds === undefined || seconds === null) return 'somewhat';
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3_600)} h`;
}
