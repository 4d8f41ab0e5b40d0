// What may be pasted as a node's URL: an origin, nothing behind it.

export function urlProblem(text: string): string | null {
  const trimmed = text.trim();
  if (trimmed === "") return "Paste the URL of your node.";
  let url: URL;
  try {
    url = new URL(trimmed);
  } catch {
    return "That is no URL. It looks like https://node.example.org:9100.";
  }
  if (url.protocol !== "http:" && url.protocol !== "https:")
    return "The URL must begin with http:// or https://.";
  if (url.username !== "" || url.password !== "") return "The URL must not hold a password.";
  if (url.pathname.replace(/\/+$/, "") !== "" || url.search !== "" || url.hash !== "")
    return "Only name and port, nothing behind them.";
  return null;
}
