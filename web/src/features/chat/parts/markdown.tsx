// An answer as Markdown: elements only, never HTML from the text; no image is fetched, links leave in a new tab and say so by their address.
import { memo, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { CopyButton } from "@/shared/ui/copy-button.tsx";
import styles from "./markdown.module.css";

interface Parsed {
  readonly props: { readonly className?: string; readonly children?: ReactNode };
}

// Text of a code element's children.
export function textOf(node: ReactNode): string {
  if (typeof node === "string") return node;
  if (Array.isArray(node)) return node.map(textOf).join("");
  return "";
}

export function languageOf(className: string | undefined): string {
  return /language-([\w+#.-]{1,24})/.exec(className ?? "")?.[1] ?? "";
}

function Pre({ children }: { children?: ReactNode }) {
  const code = children as unknown as Parsed | undefined;
  const text = textOf(code?.props?.children).replace(/\n$/, "");
  const language = languageOf(code?.props?.className);
  return (
    <figure className={styles.code}>
      <figcaption className={styles.codeHead}>
        <span>{language || "code"}</span>
        <CopyButton text={text} label="Copy code" compact />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard */}
      <section className={styles.codeBody} tabIndex={0} aria-label={language ? `${language} code` : "code"}>
        <pre>
          <code>{text}</code>
        </pre>
      </section>
    </figure>
  );
}

const components: Components = {
  pre: Pre,
  a: ({ href, children }) => (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow" title={href}>
      {children}
    </a>
  ),
  // An image would be a request to somewhere that the text names.
  img: ({ src, alt }) => (
    <a href={typeof src === "string" ? src : undefined} target="_blank" rel="noopener noreferrer nofollow">
      {alt || "image"}
    </a>
  ),
  table: ({ children }) => (
    <div className={styles.table}>
      <table>{children}</table>
    </div>
  ),
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h3>{children}</h3>,
  h3: ({ children }) => <h4>{children}</h4>,
  input: ({ checked }) => <span aria-hidden>{checked ? "☑" : "☐"} </span>,
};

const plugins = [remarkGfm];

export const Markdown = memo(function Markdown({ text }: { text: string }) {
  return (
    <div className={styles.markdown}>
      <ReactMarkdown remarkPlugins={plugins} components={components} skipHtml>
        {text}
      </ReactMarkdown>
    </div>
  );
});
