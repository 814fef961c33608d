import type { PublishRequest } from '../../src/core/publish-request.ts';
import type { Product } from '../product.ts';

const PAGE = 1_000;

/** Enqueues the requests of these numbers, `to` excluded, in bulks of a thousand. */
export async function enqueueMany(
  { publisher }: Pick<Product, 'publisher'>,
  {
    from = 0,
    to,
    request,
  }: { readonly from?: number; readonly to: number; readonly request: (number: number) => PublishRequest },
): Promise<void> {
  for (let first = from; first < to; first += PAGE) {
    const count = Math.min(PAGE, to - first);
    await publisher.enqueueBulk(Array.from({ length: count }, (_, n) => request(first + n)));
  }
}
