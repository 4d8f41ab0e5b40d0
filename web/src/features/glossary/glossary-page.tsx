// What the words mean. Other pages link to a word by its anchor.
import { useEffect, useState } from "react";
import { Link, useLocation } from "react-router";
import { Card } from "@/shared/ui/card.tsx";
import { TextField } from "@/shared/ui/field.tsx";
import { Page } from "@/shared/ui/page.tsx";
import { EmptyState } from "@/shared/ui/states.tsx";
import styles from "./glossary.module.css";
import { anchorOf, findWords, type Word } from "./words.ts";

export function GlossaryPage() {
  const [text, setText] = useState("");
  const { hash } = useLocation();
  useEffect(() => {
    if (hash) document.getElementById(decodeURIComponent(hash.slice(1)))?.scrollIntoView({ block: "center" });
  }, [hash]);
  const words = [...findWords(text)].sort((a, b) => a.name.localeCompare(b.name, "en", { sensitivity: "base" }));
  return (
    <Page title="Glossary" lead="The words of these pages, in a sentence or two.">
      <div className={styles.search}>
        <TextField label="Find a word" type="search" value={text} onChange={(event) => setText(event.target.value)} />
      </div>
      {words.length === 0 ? (
        <EmptyState title="No such word">Try a shorter one.</EmptyState>
      ) : (
        <Card>
          <dl className={styles.words}>
            {words.map((word) => (
              <Entry key={word.name} word={word} marked={hash === `#${anchorOf(word.name)}`} />
            ))}
          </dl>
        </Card>
      )}
    </Page>
  );
}

function Entry({ word, marked }: { word: Word; marked: boolean }) {
  return (
    <div id={anchorOf(word.name)} className={styles.word} data-marked={marked || undefined}>
      <dt>{word.name}</dt>
      <dd>
        {word.means}
        {word.also && (
          <span className={styles.also}>
            See also{" "}
            {word.also.map((other, i) => (
              <span key={other}>
                {i > 0 && ", "}
                <Link to={`#${anchorOf(other)}`}>{other}</Link>
              </span>
            ))}
          </span>
        )}
      </dd>
    </div>
  );
}
