import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { imageSource, renderLook, textColorOn } from '../../../src/http/page-look.ts';

/** Relative luminance, as WCAG 2.2 defines it. */
function luminanceOf(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [hex.slice(1, 3), hex.slice(3, 5), hex.slice(5, 7)].map((digits) => {
    const value = Number.parseInt(digits, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

describe('the text on a colour', () => {
  it('is readable whatever the colour is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xff_ff_ff }), (number) => {
        const color = `#${number.toString(16).padStart(6, '0')}`;
        const text = textColorOn(color) === '#000' ? 0 : 1;
        const [lighter = 0, darker = 0] = [luminanceOf(color), text].sort((one, other) => other - one);
        expect((lighter + 0.05) / (darker + 0.05)).toBeGreaterThanOrEqual(4.5);
      }),
    );
  });

  it.each([
    ['#ffffff', '#000'],
    ['#000000', '#fff'],
    ['#0F766E', '#fff'],
    ['#fde047', '#000'],
  ])('is on %s %s', (color, text) => {
    expect(textColorOn(color)).toBe(text);
  });
});

describe('the look of a page', () => {
  it('is nothing unless something was chosen', () => {
    expect(renderLook({})).toBe('');
    expect(imageSource({ name: 'Acme', color: '#0f766e' })).toBe('');
  });

  it.each([
    ['https://cdn.example.com/a/logo.png?v=2', '; img-src https://cdn.example.com/a/logo.png'],
    ['https://cdn.example.com', '; img-src https://cdn.example.com/'],
    ['data:image/png;base64,AAAA', '; img-src data:'],
  ])('allows to load nothing but the logo %s', (logo, source) => {
    expect(imageSource({ logo })).toBe(source);
  });

  it('shows a hostile name and logo as they are', () => {
    const html = renderLook({ name: '<script>"', logo: 'https://a.example/"onerror="alert(1)' });
    expect(html).toContain('<b>&lt;script&gt;&quot;</b>');
    expect(html).toContain('src="https://a.example/&quot;onerror=&quot;alert(1)"');
  });
});
