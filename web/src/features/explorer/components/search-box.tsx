// One box for receipts, queries, addresses, nodes, models and batches.
import { useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import { Link, useNavigate } from "react-router";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Badge } from "@/shared/ui/badge.tsx";
import { Button } from "@/shared/ui/button.tsx";
import { TextField } from "@/shared/ui/field.tsx";
import { Skeleton } from "@/shared/ui/states.tsx";
import { findMatches } from "../api/search.ts";
import { type Match, pathOf, readSearch } from "../lib/search-text.ts";
import styles from "./explorer.module.css";

export function SearchBox() {
  const { gateway } = useSetup();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [asked, setAsked] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const found = useQuery({
    queryKey: ["search", gateway, asked],
    queryFn: ({ signal }) => findMatches(gateway, asked, signal),
    enabled: asked !== "",
  });
  const only =
    found.data && !found.data.guessed && found.data.matches.length === 1 ? found.data.matches[0] : undefined;
  useEffect(() => {
    if (only) void navigate(pathOf(only.kind, only.id));
  }, [only, navigate]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = readSearch(text);
    setProblem(
      read.shape === "refused"
        ? read.reason
        : read.shape === "empty"
          ? "Write or paste what you look for."
          : null,
    );
    setAsked(read.shape === "refused" || read.shape === "empty" ? "" : text.trim());
  };
  return (
    <search className={styles.search}>
      <form onSubmit={submit} className={styles.form} noValidate>
        <TextField
          label="Search"
          hint="A receipt, query, batch, address, node or model; a part is enough."
          error={problem}
          value={text}
          onChange={(event) => setText(event.target.value)}
          placeholder="0x… or a model’s name"
          type="search"
          autoComplete="off"
          spellCheck={false}
        />
        <Button type="submit" kind="primary" icon={<Search aria-hidden />} pending={found.isFetching}>
          Search
        </Button>
      </form>
      <div role="status" aria-live="polite">
        {asked !== "" && found.isPending && <Skeleton height={3} />}
        {found.data && !only && (
          <Matches matches={found.data.matches} guessed={found.data.guessed} asked={asked} />
        )}
      </div>
    </search>
  );
}

function Matches({
  matches,
  guessed,
  asked,
}: {
  matches: readonly Match[];
  guessed: boolean;
  asked: string;
}) {
  if (matches.length === 0)
    return (
      <p>
        Nothing here is called “{asked}”. Receipts appear when their batch is sent; models when their manifest
        is known.
      </p>
    );
  return (
    <>
      {guessed && (
        <p className={styles.quiet}>The gateway knows nothing under this; by its form it may be:</p>
      )}
      <ul className={styles.matches}>
        {matches.map((match) => (
          <li key={`${match.kind}/${match.id}`}>
            <Badge>{match.kind}</Badge>{" "}
            <Link to={pathOf(match.kind, match.id)}>{match.title || match.id}</Link>
          </li>
        ))}
      </ul>
    </>
  );
}
