import { escapeHtml } from './escape-html.ts';

/** How pages look that the customers of an operator see. All of it comes from the settings. */
export interface PageLook {
  readonly name?: string | undefined;
  /** `https:`, or `data:` with an image. */
  readonly logo?: string | undefined;
  /** `#rrggbb`. */
  readonly color?: string | undefined;
}

/** Where the logo may be loaded from, for the policy of the page; a policy knows no query. */
export function imageSource({ logo }: PageLook): string {
  if (logo === undefined) return '';
  if (logo.startsWith('data:')) return '; img-src data:';
  const { origin, pathname } = new URL(logo);
  return `; img-src ${origin}${pathname}`;
}

/** The top of a page, with its style; empty where the operator has chosen nothing. */
export function renderLook({ name, logo, color }: PageLook): string {
  if (name === undefined && logo === undefined && color === undefined) return '';
  const band = color === undefined ? '' : `; padding: .75rem 1rem; background: ${color}; color: ${textColorOn(color)}`;
  // Logos are made for white, and the page may be dark.
  const image = logo === undefined ? '' : `<img src="${escapeHtml(logo)}" alt="">`;
  return `<style>
  header { display: flex; align-items: center; gap: .75rem; min-height: 2.5rem; border-radius: .5rem${band} }
  header img { height: 2.5rem; max-width: 50%; object-fit: contain; box-sizing: border-box; padding: .25rem; border-radius: .25rem; background: #fff }
</style>
<header>${image}${name === undefined ? '' : `<b>${escapeHtml(name)}</b>`}</header>
`;
}

/**
 * Black or white, whichever has more contrast on a colour: at least 4.5:1, as WCAG 2.2 wants it.
 * @param color `#rrggbb`
 * @internal
 */
export function textColorOn(color: string): '#000' | '#fff' {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const share = Number.parseInt(color.slice(start, start + 2), 16) / 255;
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) ? '#000' : '#fff';
}
