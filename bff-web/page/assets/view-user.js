// The profile.

import { initials } from './format.js';
import { fill, showSection, slot } from './view.js';
import { label } from './words.js';

const root = document.querySelector('[data-section="user"]');
const UNKNOWN = '–';

/** Shows a user, or null for nobody. */
export function showUser(user, state, format) {
  showSection(root, { ...state, hasContent: user !== null });
  slot(root, 'body').hidden = user === null || state.status === 'loading';
  slot(root, 'tier').hidden = !user?.tier;
  const preferences = user?.preferences;
  fill(root, {
    tier: user ? label(user.tier) : '',
    initials: user ? initials(user.name) : '',
    name: user?.name ?? '',
    since: user?.memberSince ? `Member since ${format.date(user.memberSince)}` : '',
    email: user?.email || UNKNOWN,
    phone: user?.phone || UNKNOWN,
    address: user?.address ? lines(user.address, format) : UNKNOWN,
    language: format.language(user?.locale),
    currency: format.currency(preferences?.currency),
    notifications: preferences ? label(preferences.notifications) : UNKNOWN,
    newsletter: preferences ? (preferences.newsletter ? 'Yes' : 'No') : UNKNOWN,
    theme: preferences ? label(preferences.theme) : UNKNOWN,
  });
}

function lines({ street, city, postalCode, country }, format) {
  return [street, [postalCode, city].filter(Boolean).join(' '), format.country(country)].filter(Boolean).join('\n');
}
