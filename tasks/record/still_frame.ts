/** A recording for who has asked their system for less motion: its first picture, and no other. */

const MOTION = /<g style="animation-duration:([^";]+);([^"]*)">/;

/**
 * `svg`, as svg-term writes it, with its motion in a style sheet that leaves it out where no motion is
 * wanted. The first picture stands then.
 *
 * @throws {TypeError} when it has no motion where svg-term writes it: then another version wrote it.
 */
export function withStillFrame(svg: string): string {
  const found = MOTION.exec(svg);
  if (!found) throw new TypeError("Cannot find the motion of the recording: another svg-term?");
  const [whole, duration, rest] = found;
  const style = `.film{animation-duration:${duration};${rest}}` +
    "@media (prefers-reduced-motion:reduce){.film{animation:none}}";
  return svg.replace(whole, `<style>${style}</style><g class="film">`);
}
