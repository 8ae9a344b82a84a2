// SPDX-License-Identifier: GPL-2.0-or-later

// Package store reads the connection table when somebody looks, once for all who look, and
// holds the tables that sessions look at, until nobody does. It decides when the table is read, which
// older one its rates are measured against, how many tables are in memory and when that is given back;
// what stands in a table it does not know. It must never read for nobody, read twice at once, or hold
// more tables than it may. It reads through the Source that it is given, the connection to the helper.
package store
