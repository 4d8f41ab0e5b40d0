// A verified route serves for a minute, then it is verified again; at once when a head says that it was restarted.
import { ClientError } from "./client-error";
import { makeRoute, type Route, type RouteSources, unixNow } from "./route";

const routeSeconds = 60;

export class RouteCache {
  readonly sources: RouteSources;
  private readonly routes = new Map<string, Route>();
  private readonly now: () => number;

  constructor(sources: RouteSources) {
    this.sources = sources;
    this.now = sources.now ?? unixNow;
  }

  /** Throws ClientError, which names the check that failed. */
  async get(model: string, again = false): Promise<Route> {
    const known = this.routes.get(model);
    if (!again && known !== undefined && this.now() - known.verifiedAt < routeSeconds) return known;
    this.routes.delete(model);
    const result = await makeRoute(this.sources, model);
    if (!result.ok) throw result.error;
    this.routes.set(model, result.route);
    return result.route;
  }

  /** A route that was made elsewhere, for instance to show its checks. */
  put(route: Route): void {
    if (route.trust !== this.sources.trust)
      throw new ClientError("invalid", "a route under another trust file");
    this.routes.set(route.name, route);
    this.routes.set(route.model, route);
  }

  forget(model: string): void {
    this.routes.delete(model);
  }
}
