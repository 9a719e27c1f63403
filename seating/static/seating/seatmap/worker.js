/** The worker: decodes planes and deltas off the page's thread and posts only what changed. */

import { Live } from "./live.js";

let live = null;

self.onmessage = ({ data }) => {
  if (data.kind === "open") {
    live = new Live({ ...data, post: (message, transfer) => self.postMessage(message, transfer ?? []) });
    live.start();
  } else if (data.kind === "online") live?.setOnline(data.online);
  else if (data.kind === "visible") live?.setVisible(data.visible);
  else if (data.kind === "refresh") live?.refresh();
};

self.postMessage({ kind: "ready" });
