// The frame of every page: skip link, header with navigation, the page itself, foot. On phones the navigation is at the bottom.
import { Blocks, Coins, LayoutGrid, MessageSquare, Search, Settings } from "lucide-react";
import { Suspense } from "react";
import { Link, NavLink, Outlet, useLocation } from "react-router";
import { cx } from "@/shared/lib/cx.ts";
import { ErrorBoundary } from "./error-boundary.tsx";
import styles from "./shell.module.css";
import { ThemeButton } from "./theme-button.tsx";

const PAGES = [
  { to: "/", name: "Models", icon: LayoutGrid },
  { to: "/chat", name: "Chat", icon: MessageSquare },
  { to: "/pool", name: "Pool", icon: Blocks },
  { to: "/dashboard", name: "Dashboard", icon: Coins },
  { to: "/explorer", name: "Explorer", icon: Search },
] as const;

function Navigation() {
  return (
    <nav className={styles.nav} aria-label="Pages">
      {PAGES.map(({ to, name, icon: Icon }) => (
        <NavLink key={to} to={to} end={to === "/"} className={({ isActive }) => cx(styles.link, isActive && styles.active)}>
          <Icon aria-hidden />
          <span>{name}</span>
        </NavLink>
      ))}
    </nav>
  );
}

function Header() {
  return (
    <header className={styles.header}>
      <Link to="/" className={styles.logo}>
        <img src="/icon.svg" alt="" width="26" height="26" />
        <span>TeeTee</span>
      </Link>
      <Navigation />
      <div className={styles.tools}>
        <ThemeButton />
        <Link to="/settings" className={styles.tool} aria-label="Settings" title="Settings">
          <Settings aria-hidden />
        </Link>
      </div>
    </header>
  );
}

export function Shell() {
  const { pathname } = useLocation();
  return (
    <div className={styles.shell}>
      <a href="#main" className={styles.skip}>
        Skip to content
      </a>
      <Header />
      <main id="main" className={styles.main} tabIndex={-1}>
        <ErrorBoundary key={pathname}>
          <Suspense fallback={<div className={styles.loading} aria-busy="true" />}>
            <Outlet />
          </Suspense>
        </ErrorBoundary>
      </main>
    </div>
  );
}
