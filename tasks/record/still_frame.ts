/** A recording for who has asked their system for less motion: the first picture with something on it. */

/** Where each picture but the first begins, in a film whose pictures stand side by side. */
const PICTURES = /\{transform:translateX\(-([\d.]+)px\)\}/g;
const MOTION = /<g style="animation-duration:([^";]+);([^"]*)">/;

/**
 * `svg`, as svg-term writes it, with its motion in a style sheet that leaves it out where no motion is
 * wanted. The first picture that is not empty stands then.
 *
 * @throws {TypeError} when it has no motion where svg-term writes it: then another version wrote it.
 */
export function withStillFrame(svg: string): string {
  const found = MOTION.exec(svg);
  const places = [...svg.matchAll(PICTURES)].map(([, place]) => Number(place));
  if (!found || places.length === 0) {
    throw new TypeError("Cannot find the motion of the recording: another svg-term?");
  }
  const [whole, duration, rest] = found;
  const style = `.film{animation-duration:${duration};${rest}}` +
    "@media (prefers-reduced-motion:reduce){.film{animation:none;" +
    `transform:translateX(-${Math.min(...places)}px)}}`; // n.b. the very first one is empty.
  return svg.replace(whole, `<style>${style}</style><g class="film">`);
}
