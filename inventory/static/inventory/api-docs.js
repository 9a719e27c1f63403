// The page to try the API at: gives every POST the two headers it needs, as a client of one's own would.

const { openapiUrl, fanUrl } = document.body.dataset;
let token;

async function csrfToken() {
  token ??= fetch(fanUrl, { credentials: "same-origin" }).then(async (answer) => (await answer.json()).csrf);
  return token;
}

globalThis.SwaggerUIBundle({
  url: openapiUrl,
  dom_id: "#swagger-ui",
  deepLinking: true,
  presets: [globalThis.SwaggerUIBundle.presets.apis],
  async requestInterceptor(request) {
    if (request.method === "POST") {
      request.headers["X-CSRF-Token"] = await csrfToken();
      request.headers["Idempotency-Key"] ??= crypto.randomUUID();
    }
    return request;
  },
});
