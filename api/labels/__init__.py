"""Printed QR labels: layout on a sheet, and the sheet as SVG or PDF. Never says where a device hangs, or for whom."""
