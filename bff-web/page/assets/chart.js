// A bar for each day. Widths are in percent, so the chart fits wherever it is put without being drawn again.

const HEIGHT = 132;
const LEAST = 2; // so that a day with nothing is seen to be a day
const FILLED = 0.64; // of the width that a day has

/** The amount at the top of the chart: a round number that no day exceeds, and that has a round half. */
export function scaleFor(days) {
  const most = Math.max(1, ...days.map(({ spent }) => spent));
  const unit = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 3, 4, 5, 6, 8, 10].find((step) => step * unit >= most) * unit;
}

/** Draws days up to the scale. label gives the words for a day. */
export function drawChart(days, scale, { title, description, label }) {
  const chart = svg('svg', { id: 'chart', role: 'img', width: '100%', height: HEIGHT, 'aria-labelledby': 'chart-title', 'aria-describedby': 'chart-description' }, [
    svg('title', { id: 'chart-title' }, [title]),
    svg('desc', { id: 'chart-description' }, [description]),
  ]);
  for (const y of [0.5, HEIGHT / 2, HEIGHT - 0.5]) {
    chart.append(svg('line', { class: 'chart-line', x1: 0, x2: '100%', y1: y, y2: y }));
  }
  const width = 100 / days.length;
  for (const [at, day] of days.entries()) {
    const height = Math.max(LEAST, (day.spent / scale) * HEIGHT);
    chart.append(svg('g', { class: day.spent > 0 ? 'chart-day' : 'chart-day chart-day-empty' }, [
      svg('title', {}, [label(day)]),
      svg('rect', { class: 'chart-hit', x: `${at * width}%`, y: 0, width: `${width}%`, height: HEIGHT }),
      svg('rect', {
        class: 'chart-bar',
        'data-day': day.date,
        'data-spent': day.spent,
        'data-orders': day.orders,
        x: `${(at + (1 - FILLED) / 2) * width}%`,
        y: HEIGHT - height,
        width: `${FILLED * width}%`,
        height,
        rx: 2,
      }),
    ]));
  }
  return chart;
}

function svg(name, attributes, children = []) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
