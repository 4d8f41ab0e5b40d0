// Server-sent events out of a streamed answer: the data of each event, joined as the standard says.

const MAX_EVENT = 256 * 1024;

export class EventSplitter {
  private rest = "";

  // Returns the data of each event that is complete now.
  push(text: string): string[] {
    this.rest += text;
    if (this.rest.length > MAX_EVENT * 4) throw new Error("the stream holds an event that is too long");
    const events: string[] = [];
    const blocks = this.rest.split(/\r\n\r\n|\n\n|\r\r/);
    this.rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = dataOf(block);
      if (data !== null) events.push(data);
    }
    return events;
  }
}

function dataOf(block: string): string | null {
  const lines = block.split(/\r\n|\n|\r/).filter((line) => line.startsWith("data:"));
  if (lines.length === 0) return null;
  return lines.map((line) => line.slice(line.startsWith("data: ") ? 6 : 5)).join("\n");
}
