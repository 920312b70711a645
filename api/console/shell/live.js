// The live stream: reconnects by itself, goes on where it stopped, and says when it is not connected.

// `hear(name, message)` is told what comes, and "lost"; `refused` says after how long to try again once it was refused.
export function follow(hear, refused) {
  let last = null;
  let source = null;

  const open = () => {
    source = new EventSource(last ? `/api/v1/stream?last_event_id=${encodeURIComponent(last)}` : "/api/v1/stream");
    for (const name of ["hello", "alert", "latest", "command", "missed"]) {
      source.addEventListener(name, (event) => {
        if (event.lastEventId) last = event.lastEventId;
        hear(name, JSON.parse(event.data));
      });
    }
    source.addEventListener("error", () => {
      hear("lost", {});
      // After an error answer the browser gives up; while the network is away it tries again by itself.
      if (source.readyState === EventSource.CLOSED) {
        refused().then((ms) => setTimeout(open, ms));
      }
    });
  };

  open();
  addEventListener("offline", () => hear("lost", {}));
  // A page kept by the browser's back button must not hold a stream of its own.
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && open());
}
