//! Areas: GeoJSON geometries (RFC 7946) as polygons, and whether they hold a point.

use geo::{BoundingRect, Intersects, MultiPolygon};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use crate::store::location::Point;

/// Areas, each with something that it stands for, found by the points that they hold.
#[derive(Debug)]
pub(super) struct Areas<T> {
    shapes: Vec<(MultiPolygon, T)>,
    tree: RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>,
}

/// Longitude and latitude, as GeoJSON orders them.
pub(super) fn planar(point: Point) -> geo::Point {
    geo::Point::new(point.longitude, point.latitude)
}

/// Reads a geometry.
///
/// # Errors
/// It is no polygon, or no GeoJSON.
pub(super) fn read(text: &str) -> Result<MultiPolygon, String> {
    let geometry: geojson::Geometry = text.parse().map_err(|error: geojson::Error| error.to_string())?;
    match geo::Geometry::try_from(geometry).map_err(|error| error.to_string())? {
        geo::Geometry::Polygon(polygon) => Ok(polygon.into()),
        geo::Geometry::MultiPolygon(polygons) => Ok(polygons),
        _ => Err("is neither a Polygon nor a MultiPolygon".to_owned()),
    }
}

impl<T> Areas<T> {
    pub(super) fn new(shapes: Vec<(MultiPolygon, T)>) -> Areas<T> {
        let boxes = shapes.iter().enumerate().filter_map(|(index, (shape, _))| {
            let bounds = shape.bounding_rect()?;
            let corners = Rectangle::from_corners(bounds.min().into(), bounds.max().into());
            Some(GeomWithData::new(corners, index))
        });
        let tree = RTree::bulk_load(boxes.collect());
        Areas { shapes, tree }
    }

    /// What the areas stand for that hold the point, their borders included, in the order in which they were given.
    pub(super) fn holding(&self, point: Point) -> impl Iterator<Item = &T> {
        let point = planar(point);
        let near = self.tree.locate_in_envelope_intersecting(AABB::from_point([point.x(), point.y()]));
        let mut indexes: Vec<usize> = near.map(|candidate| candidate.data).collect();
        indexes.sort_unstable();
        let shapes = indexes.into_iter().filter_map(|index| self.shapes.get(index));
        shapes.filter(move |(shape, _)| shape.intersects(&point)).map(|(_, what)| what)
    }
}
