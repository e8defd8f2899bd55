// Types of the player client, for heatstrip.js and (as the global `heatstrip`) heatstrip.classic.js.

/** A value, or a function that says it at the moment. */
export type Changing<T> = T | ((media: HTMLMediaElement) => T);

export interface Options {
  /** Where heatstrip answers, for example `https://heat.example`. */
  endpoint: string;
  /** A player key, where heatstrip needs one. Whoever reads the page reads it too: it writes and reads nothing. */
  key?: string;
  /** Which video plays; nothing counts while there is none. */
  videoId: Changing<string | number | null | undefined>;
  /** Who watches; left out, a random id in the browser's storage. */
  viewerId?: Changing<string | number | null | undefined>;
  /** What the page's server signed for that viewer, under a signed key; a function of the element gets a fresh one. */
  viewerToken?: Changing<string | null | undefined>;
  /** Where, for example `JP`; left out, the server decides. */
  region?: Changing<string | null | undefined>;
  /** Whether what plays now counts; left out, everything does. */
  counts?: (media: HTMLMediaElement) => boolean;
  /**
   * Seconds after which a session is a view, half of the video where that is less; left out, as heatstrip is set, and `Infinity`
   * for none.
   */
  viewAfter?: number;
  /** Whether nothing counts for viewers who ask not to be tracked, by Do Not Track or Global Privacy Control. */
  respectDoNotTrack?: boolean;
  /** Told once of each kind of trouble; left out, `console.warn` is. */
  onError?: (error: Error) => void;
}

export interface Client {
  /** Tells now what was played; whether all of it has arrived. Never rejects. */
  flush(): Promise<boolean>;
  /** Tells what was played and lets go of the element. */
  detach(): void;
}

/**
 * Tells heatstrip which seconds of a `<video>` or `<audio>` are played. Never throws. An element has one client: the next
 * one detaches the one before.
 */
export function heatstrip(media: HTMLMediaElement, options: Options): Client;
