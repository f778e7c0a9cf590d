// Counts on the time that something has taken, from data-since (ISO 8601), once a second.

function words(seconds) {
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600), Math.floor(seconds / 60)];
  if (days) return `${days} d ${hours % 24} h`;
  if (hours) return `${hours} h ${minutes % 60} min`;
  if (minutes) return `${minutes} min ${seconds % 60} s`;
  return `${seconds} s`;
}

export function connect(element) {
  const since = Date.parse(element.dataset.since);
  const show = () => (element.textContent = words(Math.max(0, Math.round((Date.now() - since) / 1000))));
  const timer = setInterval(show, 1000);
  show();
  return () => clearInterval(timer);
}
