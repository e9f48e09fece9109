// Search for pages that are opened from disk, where browsers allow no worker: a frame that is called like one.
// The theme's plugin `offline` would fetch such a script from elsewhere, unless one of this name is there.
class FrameWorker extends EventTarget {
  constructor(url) {
    super();
    const frame = document.createElement("iframe");
    frame.hidden = true;
    document.body.append(frame);
    this.inside = frame.contentWindow;
    this.inside.document.write(`<body><script src="${url}"></script></body>`);
    this.ready = new Promise((done) => this.inside.addEventListener("load", done));
    this.inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
    this.inside.importScripts = () => Promise.resolve(); // English needs none
    this.inside.document.close();
  }

  postMessage(data) {
    this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })));
  }
}

if (location.protocol === "file:") window.Worker = FrameWorker;
