/**
 * Renews the elements `pause` and `live` of a page from the page itself, while it says that there is more to come: each of
 * their parts that has changed, so that the page does not move. A part that has the focus, or in which something was
 * opened, is left alone. Without scripts, a page reloads itself instead.
 */
export const LIVE_SCRIPT = `
const isInUse = (part) => part.contains(document.activeElement) || part.querySelector('details[open]');
const take = (old, next) => {
  if (!old || !next || old.innerHTML === next.innerHTML) return;
  const parts = [...old.children];
  if (parts.length > 0 && parts.length === next.children.length) {
    for (const [index, part] of parts.entries()) {
      const newer = next.children[index];
      if (part.outerHTML !== newer.outerHTML && !isInUse(part)) part.replaceWith(newer.cloneNode(true));
    }
  } else if (!isInUse(old)) old.innerHTML = next.innerHTML;
};
const renew = async () => {
  const stale = document.getElementById('stale');
  try {
    const answer = document.hidden ? undefined : await fetch(location.href, { headers: { accept: 'text/html' } });
    if (answer && !answer.ok) throw new Error(answer.statusText);
    if (answer) {
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const live = page.getElementById('live');
      if (!live) return location.reload();
      for (const id of ['pause', 'live']) take(document.getElementById(id), page.getElementById(id));
      if (!page.getElementById('stale')) return;
    }
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
  setTimeout(renew, 5000);
};
setTimeout(renew, 5000);
`;
