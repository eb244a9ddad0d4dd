// world blockvault:reader/reader@1.0.0
export * as chunks from './interfaces/blockvault-reader-chunks.js'; // export blockvault:reader/chunks@1.0.0
export * as codecs from './interfaces/blockvault-reader-codecs.js'; // export blockvault:reader/codecs@1.0.0
export * as objects from './interfaces/blockvault-reader-objects.js'; // export blockvault:reader/objects@1.0.0
