/**
 * Renews the element `live` of a page from the page itself, while it says that there is more to come. What has the focus
 * is left alone. Without scripts, a page reloads itself instead.
 */
export const LIVE_SCRIPT = `
const renew = async () => {
  const live = document.getElementById('live');
  const stale = document.getElementById('stale');
  try {
    const answer = document.hidden ? undefined : await fetch(location.href, { headers: { accept: 'text/html' } });
    if (answer && !answer.ok) throw new Error(answer.statusText);
    if (answer && !live.contains(document.activeElement)) {
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      live.innerHTML = page.getElementById('live').innerHTML;
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
