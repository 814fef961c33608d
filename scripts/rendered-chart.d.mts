export const CHART: string;
export const MANIFESTS: string;
export const RENDERED_CHART: string;
export const HELM_ARGS: readonly string[];
export const MANIFEST_VALUES: readonly string[];
export const RENDERED: Readonly<Record<string, readonly string[]>>;

/** SHA-256 of the chart, and of the manifests that were made of it. @param repository its folder, without a slash at its end */
export function digests(repository: string): { readonly chart: string; readonly manifests: string };
