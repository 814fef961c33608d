import swaggerUi, { type FastifySwaggerUiOptions } from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

export const DOCS_PATH = '/docs';
/** Where programs do. */
const OPENAPI_PATH = '/openapi.json';

/** Nothing comes from elsewhere or goes there; nobody may frame the page, on which a key may be typed in. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Swagger UI's page comes without, so that phones show it as a wide screen, reduced. */
const VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">';

const THEME = `
.swagger-ui { overflow-wrap: anywhere }
@media (max-width: 40rem) { .swagger-ui .wrapper { padding: 0 10px } .swagger-ui table { display: block; overflow-x: auto } }
.swagger-ui .topbar { display: none }
.swagger-ui .info { margin: 30px 0 10px }
.swagger-ui .info p, .swagger-ui .info li, .swagger-ui .opblock-description-wrapper p { font-size: 15px; line-height: 1.6; max-width: 60rem; margin-left: 0 }
.swagger-ui .scheme-container { padding: 10px 0; box-shadow: none; background: none }
.swagger-ui .markdown code, .swagger-ui .renderedMarkdown code, .swagger-ui .info .markdown code {
  color: #1f4b6e; background: rgb(0 0 0 / 6%); font-weight: 500; padding: 1px 4px; border-radius: 3px
}
`;

/** Adds `/openapi.json` and, made from it, `/docs`, to the scope that {@link documentApi} prepared. */
export async function registerDocs(scope: FastifyInstance, basePath: string): Promise<void> {
  scope.get(OPENAPI_PATH, { schema: { hide: true } }, async () => scope.swagger());
  await scope.register(async (docs) => {
    docs.addHook('onSend', async (_request, _reply, payload) =>
      typeof payload === 'string' ? payload.replace('<meta charset="UTF-8">', (meta) => meta + VIEWPORT) : payload,
    );
    await docs.register(swaggerUi, uiOptions(basePath));
  });
}

function uiOptions(basePath: string): FastifySwaggerUiOptions {
  return {
    routePrefix: DOCS_PATH,
    indexPrefix: basePath,
    staticCSP: CONTENT_SECURITY_POLICY,
    theme: { title: 'tiktok-publisher API', css: [{ filename: 'theme.css', content: THEME }] },
    uiConfig: {
      urls: [{ url: `${basePath}${OPENAPI_PATH}`, name: 'tiktok-publisher' }],
      docExpansion: 'list',
      // Schemas are read where they are used; a list of all of them only hides the end of the page.
      defaultModelsExpandDepth: -1,
      defaultModelExpandDepth: 3,
    },
  };
}
