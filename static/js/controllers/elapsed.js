// Counts on the time that something has taken, from data-since (ISO 8601), once a second.

import { gettext, interpolate } from "../gettext.js";

function words(all) {
  const [days, hours, minutes, seconds] = [all / 86400, (all / 3600) % 24, (all / 60) % 60, all % 60].map(Math.floor);
  if (days) return interpolate(gettext("%(days)s d %(hours)s h"), { days, hours });
  if (hours) return interpolate(gettext("%(hours)s h %(minutes)s min"), { hours, minutes });
  if (minutes) return interpolate(gettext("%(minutes)s min %(seconds)s s"), { minutes, seconds });
  return interpolate(gettext("%(seconds)s s"), { seconds });
}

export function connect(element) {
  const since = Date.parse(element.dataset.since);
  const show = () => (element.textContent = words(Math.max(0, Math.round((Date.now() - since) / 1000))));
  const timer = setInterval(show, 1000);
  show();
  return () => clearInterval(timer);
}
